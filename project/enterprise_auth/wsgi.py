"""The WSGI application. ``enterprise_auth.asgi`` serves it, so that slow clients occupy no thread."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from enterprise_auth.core.conf import site
from enterprise_auth.core.public_url import without_prefix
from enterprise_auth.core.static_files import check_collected
from enterprise_auth.env import use_settings
from enterprise_auth.web_server.allocator import use_one_arena

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

use_settings("enterprise_auth.settings.production")
use_one_arena()

#: The longest Content-Type that Django gets to read, in characters. No type of ours has a tenth of it.
MAX_CONTENT_TYPE = 1000

_django = get_wsgi_application()
check_collected()
# They import models, which needs the application above.
import_string("auth_core.oauth.keys.boot.refuse_without_keys")()
_serve: Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]] = import_string(
    "enterprise_auth.front.application.with_early_answers"
)(_django)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Serve one request. The path loses the prefix of `PUBLIC_URL`, if the proxy has not removed it.

    A Content-Type beyond `MAX_CONTENT_TYPE` is dropped, so that the body is refused like one of an unknown type.
    Django 6.1 raises an exception for a long one while it makes the request, which no error handler sees.
    """
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = ""
    environ["PATH_INFO"] = without_prefix(environ.get("PATH_INFO", ""), site.prefix)
    return _serve(environ, start_response)
