from django.db import migrations, models

from auth_audit.operations import lay_guards


class Migration(migrations.Migration):

    dependencies = [
        ('auth_audit', '0002_seals'),
    ]

    operations = [
        # Empty in every entry there is: no MAC and no leaf changes, and a process of the version before can still append.
        migrations.AddField(
            model_name='auditentry',
            name='bounds',
            field=models.JSONField(blank=True, help_text='What was cut, with the digest of the whole, and which part of several entries this is.', null=True, verbose_name='bounds'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='changes',
            field=models.JSONField(blank=True, default=dict, help_text='Fields, before and after. For lists, what was added and removed.', verbose_name='changes'),
        ),
        # SQLite makes the table anew, without its triggers.
        migrations.RunPython(lay_guards, migrations.RunPython.noop),
    ]
