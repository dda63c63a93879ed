"""Texts for staff: help texts and labels. No column changes."""

import django.contrib.postgres.fields
import wedsync.weddings.models
import wedsync.weddings.validators
from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('weddings', '0008_text_messages'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='address',
                    name='last_inbound_at',
                    field=models.DateTimeField(blank=True, help_text='When they last wrote: for 24 hours, WhatsApp accepts free text to them.', null=True),
                ),
                migrations.AlterField(
                    model_name='address',
                    name='value',
                    field=models.CharField(help_text='A phone number with its country code, or an email address. Stored in one form.', max_length=254),
                ),
                migrations.AlterField(
                    model_name='address',
                    name='window_closed_at',
                    field=models.DateTimeField(blank=True, help_text='When WhatsApp last said that these 24 hours are over.', null=True),
                ),
                migrations.AlterField(
                    model_name='addresschange',
                    name='by',
                    field=models.CharField(help_text="A person's name, or the source.", max_length=200),
                ),
                migrations.AlterField(
                    model_name='apikey',
                    name='expires_at',
                    field=models.DateTimeField(blank=True, help_text='Refused from then on. To revoke a key, set this to now, or delete it.', null=True),
                ),
                migrations.AlterField(
                    model_name='apikey',
                    name='scopes',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('events:read', 'events:read · weddings and events'), ('events:write', 'events:write · weddings, forms, journeys'), ('live:read', 'live:read · tickets of live channels'), ('config:read', 'config:read · routes, systems, connections, references'), ('config:write', 'config:write · change these, and make secrets'), ('deliveries:read', 'deliveries:read · deliveries and attempts'), ('deliveries:write', 'deliveries:write · resend and cancel'), ('health:read', 'health:read · health')], max_length=32), default=wedsync.weddings.models.every_scope, help_text='What it allows.', size=None),
                ),
                migrations.AlterField(
                    model_name='contact',
                    name='preferred_channels',
                    field=models.JSONField(blank=True, default=list, help_text='In order of preference, for instance ["whatsapp", "email"]; empty: all.'),
                ),
                migrations.AlterField(
                    model_name='contact',
                    name='quiet_from',
                    field=models.TimeField(blank=True, help_text="In the contact's time zone.", null=True),
                ),
                migrations.AlterField(
                    model_name='form',
                    name='wedding_fields',
                    field=models.JSONField(blank=True, default=dict, help_text='Which answer sets which field of the wedding: {"new_date": "date"}.'),
                ),
                migrations.AlterField(
                    model_name='wedding',
                    name='reception_end',
                    field=models.TimeField(blank=True, help_text='Earlier than its start: the next day.', null=True),
                ),
                migrations.AlterField(
                    model_name='wedding',
                    name='timezone',
                    field=models.CharField(help_text="The venue's IANA name.", max_length=64, validators=[wedsync.weddings.validators.validate_time_zone]),
                ),
            ]
        ),
    ]
