"""Texts for staff: help texts. No column changes."""

from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('webhooks', '0007_receipt_correlation_id'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='dedupid',
                    name='receipt_id',
                    field=models.UUIDField(help_text="The first request's receipt id, which is also its event's id."),
                ),
                migrations.AlterField(
                    model_name='providernotice',
                    name='name',
                    field=models.CharField(help_text="The provider's own name: delivered, email.bounced, block_actions.", max_length=64),
                ),
                migrations.AlterField(
                    model_name='providernotice',
                    name='take_after',
                    field=models.DateTimeField(help_text="When to try at the earliest, by PostgreSQL's clock.", null=True),
                ),
                migrations.AlterField(
                    model_name='providernotice',
                    name='taken_at',
                    field=models.DateTimeField(help_text='When it took effect, or was given up; empty: not yet.', null=True),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='alarm',
                    field=models.CharField(blank=True, choices=[('', 'None'), ('due', 'Due'), ('told', 'Told')], db_default='', default='', help_text='For a signed emergency that was refused or is held: whether staff were told.', max_length=8),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='correlation_id',
                    field=models.UUIDField(blank=True, help_text='In each log line that results from this request.', null=True),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='errors',
                    field=models.JSONField(blank=True, default=list, help_text='The wrong fields, and why.'),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='event_type',
                    field=models.CharField(blank=True, help_text="The vendor's own name.", max_length=100),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='headers',
                    field=models.JSONField(default=dict, help_text='Selected headers; never a signature.'),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='older_secret_id',
                    field=models.UUIDField(blank=True, help_text='The secret that signed it, if not the newest.', null=True),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='signed',
                    field=models.BooleanField(default=False, help_text="Whether one of the connection's secrets signed it."),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='slug',
                    field=models.CharField(blank=True, help_text="The slug of the answer's problem, if any.", max_length=40),
                ),
                migrations.AlterField(
                    model_name='receipt',
                    name='unkept',
                    field=models.PositiveIntegerField(default=0, help_text='How many rejected requests before this one were only counted, not kept.'),
                ),
            ]
        ),
    ]
