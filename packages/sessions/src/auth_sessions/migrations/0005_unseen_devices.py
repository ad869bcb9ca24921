"""The index to find devices that were not used for as long as their cookies last."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_sessions', '0004_not_me_links'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='device',
            index=models.Index(condition=models.Q(('blocked_at', None)), fields=['last_seen_at'], name='auth_sessions_device_unseen'),
        ),
    ]
