"""The indexes by which the sessions of an application and of an actor end."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_sessions', '0009_application_and_actor'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(condition=models.Q(('application_id__isnull', False), ('ended_at', None)), fields=['application_id'], name='auth_sessions_live_of_app'),
        ),
        AddIndexBesideWriters(
            model_name='session',
            index=models.Index(condition=models.Q(('actor_id__isnull', False), ('ended_at', None)), fields=['actor_id'], name='auth_sessions_live_of_actor'),
        ),
    ]
