from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth_core', '0002_weighed_reasons'),
    ]

    operations = [
        migrations.AddField(
            model_name='identity',
            name='lock_reason',
            field=models.CharField(blank=True, db_default='', default='', help_text='Reason of the lock. Determines how it ends.', max_length=32, verbose_name='lock reason'),
        ),
    ]
