"""The index by which a credential before is found."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_sessions', '0006_rotation'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(condition=models.Q(('previous_digest__isnull', False)), fields=['previous_digest'], name='auth_sessions_previous'),
        ),
    ]
