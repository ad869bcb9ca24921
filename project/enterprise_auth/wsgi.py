"""The WSGI application: ``granian --interface wsgi enterprise_auth.wsgi:application``."""

from django.core.wsgi import get_wsgi_application

from enterprise_auth.env import use_settings

use_settings("enterprise_auth.settings.production")

application = get_wsgi_application()
