"""The ASGI application; WSGI serves ten times as many requests, so this is for hosts that must."""

from django.core.asgi import get_asgi_application

from enterprise_auth.env import use_settings

use_settings("enterprise_auth.settings.production")

application = get_asgi_application()
