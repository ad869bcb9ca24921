"""The application that a login with a passkey is for."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth_mfa', '0007_factor_history'),
    ]

    operations = [
        migrations.AddField(
            model_name='webauthnchallenge',
            name='application_id',
            field=models.UUIDField(blank=True, help_text='Public id of the application that the login is for.', null=True),
        ),
    ]
