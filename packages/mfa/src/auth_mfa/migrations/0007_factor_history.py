"""The model `Standing` is now `FactorHistory`. Labels and help texts change as well."""

import auth_core.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth_mfa', '0006_unread_codes_index'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel(old_name='Standing', new_name='FactorHistory'),
        migrations.AlterModelOptions(
            name='factorhistory',
            options={'permissions': [('reset_factors', 'Can reset all second factors of a user')], 'verbose_name': 'factor history', 'verbose_name_plural': 'factor histories'},
        ),
        migrations.AlterModelOptions(
            name='phonefactor',
            options={'verbose_name': 'phone', 'verbose_name_plural': 'phones'},
        ),
        migrations.AlterField(
            model_name='emailfactor',
            name='confirmed',
            field=models.BooleanField(default=False, help_text='Whether the enrolment was completed.', verbose_name='confirmed'),
        ),
        migrations.AlterField(
            model_name='emailfactor',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, help_text='Wrong answers in a row. A correct answer resets it.', verbose_name='failures'),
        ),
        migrations.AlterField(
            model_name='factorhistory',
            name='had_factor_since',
            field=models.DateTimeField(blank=True, help_text='Empty if never, or not since the last reset.', null=True, verbose_name='had a factor since'),
        ),
        migrations.AlterField(
            model_name='factorhistory',
            name='mailbox_failures',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Wrong codes in a row. A correct code resets it.', verbose_name='mailbox failures'),
        ),
        migrations.AlterField(
            model_name='factorhistory',
            name='reset_at',
            field=models.DateTimeField(blank=True, help_text='When an administrator last reset the second factors.', null=True, verbose_name='reset at'),
        ),
        migrations.AlterField(
            model_name='phonefactor',
            name='confirmed',
            field=models.BooleanField(default=False, help_text='Whether the enrolment was completed.', verbose_name='confirmed'),
        ),
        migrations.AlterField(
            model_name='phonefactor',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, help_text='Wrong answers in a row. A correct answer resets it.', verbose_name='failures'),
        ),
        migrations.AlterField(
            model_name='recoverycodeset',
            name='confirmed',
            field=models.BooleanField(default=False, help_text='Whether the enrolment was completed.', verbose_name='confirmed'),
        ),
        migrations.AlterField(
            model_name='recoverycodeset',
            name='cost',
            field=models.JSONField(help_text='The argon2id parameters of its digests.'),
        ),
        migrations.AlterField(
            model_name='recoverycodeset',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, help_text='Wrong answers in a row. A correct answer resets it.', verbose_name='failures'),
        ),
        migrations.AlterField(
            model_name='recoverycodeset',
            name='unread',
            field=auth_core.fields.EncryptedTextField(editable=False, help_text='The codes, encrypted, until the page has shown them once.', null=True, purpose='auth_mfa.recovery_sheet.unread'),
        ),
        migrations.AlterField(
            model_name='sentcode',
            name='code',
            field=auth_core.fields.EncryptedTextField(editable=False, help_text='The code, encrypted. A resend sends the same code.', purpose='auth_mfa.sent_code.code'),
        ),
        migrations.AlterField(
            model_name='sentcode',
            name='occasion',
            field=models.UUIDField(help_text='The pending login or the enrolment that it was sent for.'),
        ),
        migrations.AlterField(
            model_name='sentcode',
            name='sent',
            field=models.PositiveSmallIntegerField(default=0, help_text='How often codes were sent for this occasion.'),
        ),
        migrations.AlterField(
            model_name='totpfactor',
            name='confirmed',
            field=models.BooleanField(default=False, help_text='Whether the enrolment was completed.', verbose_name='confirmed'),
        ),
        migrations.AlterField(
            model_name='totpfactor',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, help_text='Wrong answers in a row. A correct answer resets it.', verbose_name='failures'),
        ),
        migrations.AlterField(
            model_name='totpfactor',
            name='last_step',
            field=models.BigIntegerField(default=-1, help_text='The last time step that was spent.'),
        ),
        migrations.AlterField(
            model_name='webauthnchallenge',
            name='browser_digest',
            field=models.CharField(blank=True, help_text="SHA-256 of the browser's secret. Empty with a token.", max_length=64),
        ),
        migrations.AlterField(
            model_name='webauthnchallenge',
            name='occasion',
            field=models.UUIDField(help_text='The pending login or the session that it was made for.', null=True),
        ),
        migrations.AlterField(
            model_name='webauthnchallenge',
            name='transport',
            field=models.CharField(blank=True, help_text='The transport of the session that it may open.', max_length=8),
        ),
        migrations.AlterField(
            model_name='webauthnchallenge',
            name='user',
            field=models.ForeignKey(help_text='Empty if not known yet.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='aaguid',
            field=models.UUIDField(help_text='The claimed model of the authenticator, without attestation.'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='backup_eligible',
            field=models.BooleanField(help_text='Whether it may leave its device.', verbose_name='backup eligible'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='backup_state',
            field=models.BooleanField(help_text='Whether it is backed up, as last reported.', verbose_name='backed up'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='confirmed',
            field=models.BooleanField(default=False, help_text='Whether the enrolment was completed.', verbose_name='confirmed'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='credential_id',
            field=models.CharField(help_text="The authenticator's id of the credential, base64url.", max_length=1364),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='discoverable',
            field=models.BooleanField(help_text='Whether it can be used without a user name.'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='failures',
            field=models.PositiveSmallIntegerField(default=0, help_text='Wrong answers in a row. A correct answer resets it.', verbose_name='failures'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='sign_count',
            field=models.BigIntegerField(default=0, help_text='The last signature counter. 0 if it does not count.'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='transports',
            field=models.JSONField(default=list, help_text='How browsers can reach it.'),
        ),
        migrations.AlterField(
            model_name='webauthnfactor',
            name='user_verified',
            field=models.BooleanField(help_text='Whether it verified its user at registration, or later in a login with the password.'),
        ),
    ]
