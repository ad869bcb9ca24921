"""The WSGI application. ``enterprise_auth.asgi`` serves it, so that slow clients occupy no thread."""

from django.core.wsgi import get_wsgi_application

from enterprise_auth.env import use_settings

use_settings("enterprise_auth.settings.production")

application = get_wsgi_application()
