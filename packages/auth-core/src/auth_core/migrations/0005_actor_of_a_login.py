"""The person who signs in as another one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth_core', '0004_mailed_addresses'),
    ]

    operations = [
        migrations.AddField(
            model_name='pendinglogin',
            name='actor_id',
            field=models.UUIDField(blank=True, help_text='Public id of the person who signs in as the user, if it is another one.', null=True),
        ),
    ]
