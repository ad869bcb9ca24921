"""gunicorn, instead of ``python -m enterprise_auth.web_server``: ``gunicorn enterprise_auth.asgi:application``."""

import gc
from typing import Any

from enterprise_auth.env import Environment

_env = Environment()

# By default gunicorn listens on 127.0.0.1, which is unreachable inside a container.
bind = "0.0.0.0:8000"
workers = _env.number("WEB_WORKERS")
_env.seal()
# Its event loop reads request bodies. A threaded worker (gthread) gives each slow client a thread.
worker_class = "asgi"
wsgi_app = "enterprise_auth.asgi:application"
asgi_lifespan = "off"
graceful_timeout = 30
timeout = 60
keepalive = 5
limit_request_line = 8190
limit_request_fields = 64
accesslog = None
# The workers share the memory of everything that is imported before they start.
preload_app = True


def pre_fork(_server: Any, _worker: Any) -> None:
    """Keep the collector from writing to the memory that the workers share."""
    gc.freeze()


def post_fork(_server: Any, worker: Any) -> None:
    """Serve the ASGI application even if the command line names ``enterprise_auth.wsgi``."""
    if worker.app.app_uri != wsgi_app:
        worker.app.app_uri, worker.app.callable = wsgi_app, None
