"""Indexes to find sessions: by person, device, network and risk."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_sessions', '0002_devices_limits_risk'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(fields=['user', '-id'], name='auth_sessions_of_user'),
        ),
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(condition=models.Q(('device_id__isnull', False)), fields=['device_id', '-id'], name='auth_sessions_of_device'),
        ),
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(fields=['network', '-id'], name='auth_sessions_network'),
        ),
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(condition=models.Q(('risk_score__isnull', False)), fields=['-risk_score', '-id'], name='auth_sessions_risk'),
        ),
    ]
