"""Texts for staff: help texts and labels. No column changes."""

from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('live', '0001_squashed_0006_waiting_and_held'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='channelevent',
                    name='author',
                    field=models.CharField(blank=True, db_default='', default='', help_text='Who published it: the name of a staff member or of an API key. Empty: a system, or WedSync.', max_length=200),
                ),
                migrations.AlterField(
                    model_name='channelevent',
                    name='hinted_at',
                    field=models.DateTimeField(blank=True, help_text='When the sweep last requested its routing.', null=True),
                ),
            ]
        ),
    ]
