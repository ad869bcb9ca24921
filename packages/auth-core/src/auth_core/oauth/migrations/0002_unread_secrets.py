"""A new secret of an application waits, encrypted, for the admin page that shows it once. Adding columns reads no row."""

import auth_core.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('auth_oauth', '0001_initial')]

    operations = [
        migrations.AlterModelOptions(
            name='applicationpolicy',
            options={'verbose_name': 'application', 'verbose_name_plural': 'applications'},
        ),
        migrations.AddField(
            model_name='applicationpolicy',
            name='unread',
            field=auth_core.fields.EncryptedTextField(editable=False, help_text='A new secret, encrypted, until the admin page has shown it once.', null=True, purpose='auth_oauth.application.unread'),
        ),
        migrations.AddField(
            model_name='applicationpolicy',
            name='unread_in',
            field=models.UUIDField(editable=False, help_text='The session whose page may show them.', null=True),
        ),
        migrations.AddField(
            model_name='applicationpolicy',
            name='unread_until',
            field=models.DateTimeField(editable=False, help_text='When they can no longer be shown.', null=True),
        ),
    ]
