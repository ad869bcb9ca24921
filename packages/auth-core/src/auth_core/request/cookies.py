"""The ``Cookie`` header, bounded before anything parses it.

Python's `http.cookies` reads the rest of a quoted value again at each backslash:
60 kB of them take 18 seconds on the versions before the fix of CVE-2024-7592, and any
caller can send them.
"""

from django.http import HttpRequest

#: Longest header that is read, in characters; browsers keep 4 kB per cookie, and a site has a few.
LONGEST_HEADER = 32_768

#: Most backslashes in one header. Quoted values have some: Django's messages, for example.
MOST_BACKSLASHES = 512

_HEADER = "HTTP_COOKIE"


def bound_cookies(request: HttpRequest) -> None:
    """Leave out of *request* the cookies that it would take long to parse; call it before ``request.COOKIES``."""
    header = request.META.get(_HEADER, "")
    if len(header) > LONGEST_HEADER:
        header = request.META[_HEADER] = header[:LONGEST_HEADER].rpartition(";")[0]
    if header.count("\\") > MOST_BACKSLASHES:
        request.META[_HEADER] = ";".join(part for part in header.split(";") if "\\" not in part)
