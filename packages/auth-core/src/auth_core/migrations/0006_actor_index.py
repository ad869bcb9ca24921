"""The index by which the unfinished logins of an actor end."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_core', '0005_actor_of_a_login'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='pendinglogin',
            index=models.Index(condition=models.Q(('actor_id__isnull', False), ('closed_at', None)), fields=['actor_id'], name='auth_core_login_actor'),
        ),
    ]
