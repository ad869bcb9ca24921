"""The Celery application: ``celery -A enterprise_auth worker``."""

from celery import Celery

from auth_core import context_celery
from enterprise_auth.env import use_settings

use_settings("enterprise_auth.settings.production")

app = Celery("enterprise_auth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
context_celery.connect()
