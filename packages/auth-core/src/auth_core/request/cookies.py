"""Limits for the ``Cookie`` header before it is parsed.

Python's `http.cookies` reads the rest of a quoted value again at each backslash. 60 kB of them take 18 seconds on
versions before the fix of CVE-2024-7592, and any caller can send them.
"""

from django.http import HttpRequest

#: Maximum length of the header, in characters. Browsers store 4 kB per cookie, and a site has a few.
LONGEST_HEADER = 32_768

#: Maximum number of backslashes in one header. Quoted values have some, for example Django's messages.
MOST_BACKSLASHES = 512

_HEADER = "HTTP_COOKIE"


def bound_cookies(request: HttpRequest) -> None:
    """Remove cookies that are slow to parse from *request*. Call it before ``request.COOKIES``."""
    header = request.META.get(_HEADER, "")
    if len(header) > LONGEST_HEADER:
        header = request.META[_HEADER] = header[:LONGEST_HEADER].rpartition(";")[0]
    if header.count("\\") > MOST_BACKSLASHES:
        request.META[_HEADER] = ";".join(part for part in header.split(";") if "\\" not in part)
