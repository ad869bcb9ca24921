"""The index to find the rows of a browser, of any person."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_sessions', '0007_previous_credential_index'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='device',
            index=models.Index(fields=['digest'], name='auth_sessions_device_digest'),
        ),
    ]
