"""The application that a session was opened for, and the person who acts in it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth_sessions', '0008_device_digest_index'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='application_id',
            field=models.UUIDField(blank=True, help_text='Public id of the application that it was opened for.', null=True),
        ),
        migrations.AddField(
            model_name='session',
            name='actor_id',
            field=models.UUIDField(blank=True, help_text='Public id of the person who acts in it, if it is not its user.', null=True),
        ),
    ]
