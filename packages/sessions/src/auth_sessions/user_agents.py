"""Description of a user agent: kind, operating system and browser. It is no proof.

A program can send any user agent. The description is shown to users and tells callers without cookies apart. It never
makes a device known.
"""

from dataclasses import dataclass

import ua_parser

from auth_core.text import Pattern

#: Maximum length that is parsed, in characters. Some clients send 10,000.
_MAX_LENGTH = 512

#: Maximum length of a stored family name, in characters.
_MAX_NAME_LENGTH = 64

#: Characters that family names must not hold. Names are partly copied from the header and appear in mails. Without
#: dots, colons and angle brackets they cannot form a link or a tag.
_NOT_IN_NAMES = Pattern(r"[^A-Za-z0-9 +_-]+", at_most=_MAX_LENGTH)

_COUNTRY = Pattern(r"[A-Z]{2}", at_most=2)

#: Operating systems of handheld devices.
_HANDHELD = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS", "Tizen", "HarmonyOS"})


#: Families that may be shown to users. Any other name is a stranger's text and only compared.
_LISTED = frozenset(
    {
        "Amazon Silk", "Android", "Apple Mail", "BlackBerry OS", "Brave", "Chrome", "Chrome Mobile",
        "Chrome Mobile iOS", "Chrome Mobile WebView", "Chrome OS", "Chromium", "DuckDuckGo Mobile", "Edge",
        "Edge Mobile", "Fedora", "Firefox", "Firefox Focus", "Firefox Mobile", "Firefox iOS", "FreeBSD", "Google",
        "Googlebot", "HarmonyOS", "HeadlessChrome", "IE", "KaiOS", "Linux", "Mac OS X", "Mobile Safari",
        "Mobile Safari UI WKWebView", "NetBSD", "OpenBSD", "Opera", "Opera Mini", "Opera Mobile", "Python Requests",
        "Safari", "Samsung Internet", "Solaris", "Thunderbird", "Tizen", "UC Browser", "Ubuntu", "Vivaldi",
        "WebView", "Wget", "Windows", "Windows Phone", "Yandex Browser", "curl", "iOS", "okhttp",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Description:
    """What a user agent says about itself.

    Args:
        kind: desktop, mobile, tablet, app, bot or other.
        os: Family of the operating system. Empty: unknown.
        browser: Family of the browser or library. Empty: unknown.
    """

    kind: str
    os: str
    browser: str

    @property
    def text(self) -> str:
        """The description as one line, to be digested."""
        return f"described|{self.kind}|{self.os}|{self.browser}"


def describe(user_agent: str) -> Description:
    """Return the description of *user_agent*. An unreadable one has the kind ``other`` and no names."""
    text = user_agent[:_MAX_LENGTH]
    result = ua_parser.parse(text)
    family = result.device.family if result.device else ""
    brand = (result.device.brand or "") if result.device else ""
    system = result.os.family if result.os else ""
    browser = result.user_agent.family if result.user_agent else ""
    return Description(kind=_kind(text, f"{family} {brand}", system, browser), os=_name(system), browser=_name(browser))


def listed_name(family: str) -> str:
    """Return *family* if it is on the list of names that may be shown, else an empty string."""
    return family if family in _LISTED else ""


def listed_names(*families: str) -> str:
    """Return those of *families* that may be shown, in one line."""
    return " · ".join(filter(None, map(listed_name, families)))


def country_code(text: str) -> str:
    """Return *text* if it has the form of a country code (ISO 3166-1 alpha-2), else an empty string."""
    return text if _COUNTRY.fullmatch(text) else ""


def _kind(text: str, device: str, system: str, browser: str) -> str:
    if "Spider" in device:
        return "bot"
    if system in _HANDHELD:
        # Browsers on Android send "Mobile" on phones and omit it on tablets. Apps send neither.
        without_mobile = system == "Android" and text.startswith("Mozilla/") and "Mobile" not in text
        return "tablet" if without_mobile or "iPad" in device or "Tablet" in device else "mobile"
    if system:
        return "desktop"
    return "app" if browser else "other"


def _name(family: str) -> str:
    return " ".join(_NOT_IN_NAMES.sub(" ", family).split())[:_MAX_NAME_LENGTH]
