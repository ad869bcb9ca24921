"""The index by which the sweep finds new recovery codes that no page showed in time."""

from django.db import migrations, models

from auth_core.operations import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('auth_mfa', '0005_unread_recovery_codes'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='recoverycodeset',
            index=models.Index(fields=['unread_until'], condition=models.Q(('unread_until__isnull', False)), name='auth_mfa_unread_codes'),
        ),
    ]
