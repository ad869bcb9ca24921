"""Names of browsers and systems in mails, from a closed list.

The header is text of a stranger. It only selects names from this list and is never shown itself. Without a match, no
name is shown (decision record 0028).
"""

#: Maximum number of characters of a header that are read.
_LONGEST = 512

#: Text in the header -> name of the browser. The first match counts, because most browsers also name others.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)

#: Text in the header -> name of the system.
_SYSTEMS = (
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)

_NAMES = frozenset(name for _mark, name in (*_BROWSERS, *_SYSTEMS))


def device_name(user_agent: str) -> str:
    """Return the name for *user_agent*, such as ``Firefox, Linux``. Empty if it is not on the list."""
    header = user_agent[:_LONGEST]
    names = (next((name for mark, name in marks if mark in header), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, names))


def closed_name(text: str) -> str:
    """Return *text* if it is a name on the list, else an empty string."""
    return text if text in _NAMES else ""
