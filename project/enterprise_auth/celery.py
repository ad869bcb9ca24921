"""The Celery application: ``celery -A enterprise_auth worker``."""

from celery import Celery
from celery.schedules import crontab

from auth_core.request import celery
from enterprise_auth.core import heartbeat
from enterprise_auth.env import ignore_copied_broker, use_settings

use_settings("enterprise_auth.settings.production")

ignore_copied_broker()

app = Celery("enterprise_auth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {
    # Messages left over after an outage of the broker or a worker.
    "deliver what is due": {"task": "auth_core.deliver_due", "schedule": 30.0},
    "seal the trail": {"task": "auth_audit.seal", "schedule": 5.0},
    # At fixed times, which a restart does not postpone.
    "sweep": {"task": "auth_core.sweep", "schedule": crontab(minute="17", hour="*/6")},
}
app.autodiscover_tasks()
# For all threads: the thread that sends tasks would otherwise use another, unconfigured application.
app.set_default()
celery.connect()
heartbeat.connect()
