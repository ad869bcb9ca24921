"""The link that says "this was not me"."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import auth_core.ids


class Migration(migrations.Migration):

    dependencies = [
        ('auth_sessions', '0003_session_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NotMeLink',
            fields=[
                ('id', models.UUIDField(default=auth_core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('token_digest', models.CharField(help_text='SHA-256 of the token, in hex.', max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created at')),
                ('expires_at', models.DateTimeField(db_index=True, verbose_name='expires at')),
                ('spent_at', models.DateTimeField(blank=True, null=True, verbose_name='spent at')),
                ('device_id', models.UUIDField(help_text='The device that the mail tells of.')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'not-me link',
                'verbose_name_plural': 'not-me links',
            },
        ),
    ]
