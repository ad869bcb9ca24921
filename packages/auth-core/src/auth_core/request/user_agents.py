"""What mails call a browser and its system: names of a closed list, never a part of the header.

The header is text of a stranger. Here it only chooses between names of ours; one that
matches none is not shown (decision record 0028).
"""

#: Longest part of a header that is read, in characters.
_LONGEST = 512

#: What a header holds -> what the browser is called; the first that is found counts, because most name others as well.
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

#: The same of systems.
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
    """Return what *user_agent* says that it is, such as ``Firefox, Linux``; empty for what is not on the list."""
    header = user_agent[:_LONGEST]
    found = (next((name for mark, name in marks if mark in header), "") for marks in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, found))


def closed_name(text: str) -> str:
    """Return *text* if it is a name of the list, else nothing."""
    return text if text in _NAMES else ""
