"""The application that ``python -m enterprise_auth.web_server`` serves: the WSGI application behind ASGI."""

from datetime import timedelta

from django.urls import reverse

from auth_core.passwords.hash_slots import dedicate_thread
from enterprise_auth.core.conf import site
from enterprise_auth.core.public_url import without_prefix
from enterprise_auth.env import Environment
from enterprise_auth.web_server.application import Logins, ThreadedApplication
from enterprise_auth.web_server.busy_page import busy_page
from enterprise_auth.web_server.sockets import limit_unread_answers
from enterprise_auth.wsgi import application as wsgi_application

#: The routes that hash a password for anyone who asks. Others hash for people with a session, a link or a code.
HASHING_ROUTES = ("core-api:login", "core-pages:login", "core-api:signup", "core-pages:signup")

_env = Environment()
_addresses = {reverse(route) for route in HASHING_ROUTES}

application = ThreadedApplication(
    wsgi_application,
    threads=_env.number("WEB_THREADS"),
    logins=Logins(
        # with and without the prefix, which a proxy may remove
        paths=_addresses | {without_prefix(address, site.prefix) for address in _addresses},
        threads=_env.number("WEB_LOGIN_THREADS"),
        queue=_env.number("WEB_LOGIN_QUEUE"),
        wait=timedelta(seconds=_env.number("WEB_LOGIN_WAIT")),
        prepare=dedicate_thread,
        page=busy_page,
    ),
    body_limit=site.longest_body,
    # importing it here would load models before Django is set up
    probe_paths={"/health/", f"{site.prefix}/health/"},
    prepare=limit_unread_answers,
)
