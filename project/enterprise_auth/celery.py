"""The Celery application: ``celery -A enterprise_auth worker``."""

from celery import Celery

from auth_core.request import celery
from enterprise_auth.core import heartbeat
from enterprise_auth.env import ignore_copied_broker, use_settings

use_settings("enterprise_auth.settings.production")

ignore_copied_broker()

app = Celery("enterprise_auth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For all threads: the thread that sends tasks would otherwise use another, unconfigured application.
app.set_default()
celery.connect()
heartbeat.connect()
