"""gunicorn, for whoever does not run granian: ``gunicorn enterprise_auth.wsgi:application``."""

from enterprise_auth.env import Environment

_env = Environment()

# gunicorn alone would listen on 127.0.0.1, where nobody reaches a container.
bind = "0.0.0.0:8000"
workers = _env.number("WEB_WORKERS")
worker_class = "gthread"
threads = _env.number("WEB_THREADS")
graceful_timeout = 30
timeout = 60
keepalive = 5
limit_request_line = 8190
limit_request_fields = 64
accesslog = None
