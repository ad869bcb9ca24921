"""The application that ``python -m enterprise_auth.web_server`` serves: the WSGI application behind ASGI."""

from enterprise_auth.core.conf import site
from enterprise_auth.env import Environment
from enterprise_auth.web_server.application import ThreadedApplication
from enterprise_auth.web_server.sockets import limit_unread_answers
from enterprise_auth.wsgi import application as wsgi_application

application = ThreadedApplication(
    wsgi_application,
    threads=Environment().number("WEB_THREADS"),
    body_limit=site.longest_body,
    # importing it here would load models before Django is set up
    probe_paths={"/health/", f"{site.prefix}/health/"},
    prepare=limit_unread_answers,
)
