"""What a user agent says of itself: kind, operating system and browser; a description, never a proof.

Whoever writes a program writes its user agent. What is taken from it is shown to people
and sorts callers that keep no cookie; it makes nobody known.
"""

from dataclasses import dataclass

import ua_parser

from auth_core.text import Pattern

#: Longest user agent that is read, in characters; some send ten thousand.
_LONGEST = 512

#: Longest name of a family that is kept, in characters.
_LONGEST_NAME = 64

#: What a family's name may hold. Parts of it are copied from the header, and it goes into mails: without dots,
#: colons and angle brackets nothing in it becomes a link or a tag.
_NOT_IN_NAMES = Pattern(r"[^A-Za-z0-9 +_-]+", at_most=_LONGEST)

_COUNTRY = Pattern(r"[A-Z]{2}", at_most=2)

#: Systems of things that are held in a hand.
_HANDHELD = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS", "Tizen", "HarmonyOS"})


#: Families that are shown to people. What a header says besides is text of a stranger, and only compared.
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
    """What a caller says it is.

    Args:
        kind: desktop, mobile, tablet, app, bot or other.
        os: Family of the operating system; empty when it does not say.
        browser: Family of the browser or library; empty when it does not say.
    """

    kind: str
    os: str
    browser: str

    @property
    def text(self) -> str:
        """The whole of it as one line, to be digested."""
        return f"described|{self.kind}|{self.os}|{self.browser}"


def describe(user_agent: str) -> Description:
    """Return what *user_agent* says; for nonsense a description that says nothing."""
    said = user_agent[:_LONGEST]
    result = ua_parser.parse(said)
    family = result.device.family if result.device else ""
    brand = (result.device.brand or "") if result.device else ""
    system = result.os.family if result.os else ""
    browser = result.user_agent.family if result.user_agent else ""
    return Description(kind=_kind(said, f"{family} {brand}", system, browser), os=_name(system), browser=_name(browser))


def listed_name(family: str) -> str:
    """Return *family* if it is on the list of those that people are shown, else nothing."""
    return family if family in _LISTED else ""


def listed_names(*families: str) -> str:
    """Return those of *families* that people are shown, in one line."""
    return " · ".join(filter(None, map(listed_name, families)))


def country_code(text: str) -> str:
    """Return *text* if it has the form of a country's code (ISO 3166-1 alpha-2), else nothing."""
    return text if _COUNTRY.fullmatch(text) else ""


def _kind(said: str, device: str, system: str, browser: str) -> str:
    if "Spider" in device:
        return "bot"
    if system in _HANDHELD:
        # Browsers on Android say "Mobile" on phones and leave it out on tablets; apps say neither.
        without_mobile = system == "Android" and said.startswith("Mozilla/") and "Mobile" not in said
        return "tablet" if without_mobile or "iPad" in device or "Tablet" in device else "mobile"
    if system:
        return "desktop"
    return "app" if browser else "other"


def _name(family: str) -> str:
    return " ".join(_NOT_IN_NAMES.sub(" ", family).split())[:_LONGEST_NAME]
