"""Texts for staff: help texts and labels. No column changes."""

from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0001_remembered_requests'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='rememberedrequest',
                    name='body',
                    field=models.TextField(blank=True, default='', help_text='Encrypted if it contains a secret.'),
                ),
                migrations.AlterField(
                    model_name='rememberedrequest',
                    name='lease_token',
                    field=models.UUIDField(help_text='The request that is processing it; null: answered.', null=True),
                ),
            ]
        ),
    ]
