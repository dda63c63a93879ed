"""This app's tables in one step, for a new database; one of before goes on by the migrations that this replaces."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import uuid
import wedsync.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('live', '0001_initial'), ('live', '0002_the_door_in'), ('live', '0003_unlinked_urgent'), ('live', '0004_event_author'), ('live', '0005_events_of_a_wedding'), ('live', '0006_waiting_and_held')]

    initial = True

    dependencies = [
        ('weddings', '0001_squashed_0007_address_help'),
    ]

    operations = [
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=194)),
                ('last_sequence', models.BigIntegerField(default=0)),
                ('epoch', models.UUIDField(default=uuid.uuid4)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='channels', to='weddings.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'name'), name='channel_once')],
            },
        ),
        migrations.CreateModel(
            name='ChannelEvent',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=64)),
                ('payload', models.JSONField()),
                ('occurred_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('source', models.CharField(choices=[('webhook', 'Webhook'), ('api', 'Api'), ('wedsync', 'Wedsync')], max_length=16)),
                ('source_system_id', models.UUIDField(blank=True, null=True)),
                ('source_connection_id', models.CharField(blank=True, default='', max_length=40)),
                ('priority', models.CharField(choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High'), ('urgent', 'Urgent')], max_length=8)),
                ('correlation_id', models.UUIDField(default=wedsync.ids.new_id)),
                ('hops', models.PositiveSmallIntegerField(default=0)),
                ('routing', models.CharField(choices=[('pending', 'Pending'), ('routed', 'Routed'), ('unlinked', 'Unlinked'), ('held', 'Held'), ('failed', 'Failed')], default='pending', max_length=16)),
                ('routed_at', models.DateTimeField(blank=True, null=True)),
                ('hinted_at', models.DateTimeField(blank=True, help_text='When the sweep last asked for its routing.', null=True)),
                ('routing_failures', models.PositiveSmallIntegerField(default=0)),
                ('effect', models.CharField(choices=[('pending', 'Pending'), ('none', 'None'), ('applied', 'Applied'), ('unchanged', 'Unchanged'), ('stale', 'Stale')], default='pending', max_length=16)),
                ('author', models.CharField(blank=True, db_default='', default='', help_text='Who published it: one of the staff by name, or an API key by its name. Empty: a system, or WedSync.', max_length=200)),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='weddings.organization')),
                ('wedding', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='weddings.wedding')),
            ],
            options={
                'indexes': [models.Index(models.F('priority'), django.db.models.functions.comparison.Coalesce('hinted_at', django.db.models.functions.comparison.Cast(models.Value('-infinity'), models.DateTimeField())), models.F('id'), condition=models.Q(('routing', 'pending')), name='event_waiting'), models.Index(condition=models.Q(('routing', 'held')), fields=['source_connection_id'], name='event_held'), models.Index(fields=['organization', 'id'], name='event_newest'), models.Index(fields=['wedding', 'id'], name='event_of_wedding'), models.Index(condition=models.Q(('routing', 'unlinked')), fields=['organization', 'id'], name='event_unlinked'), models.Index(condition=models.Q(('priority', 'urgent'), ('routing', 'unlinked')), fields=['id'], name='event_unlinked_urgent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('routing__in', ['pending', 'routed', 'unlinked', 'held', 'failed'])), name='event_routing_known'), models.CheckConstraint(condition=models.Q(('effect__in', ['pending', 'none', 'applied', 'unchanged', 'stale'])), name='event_effect_known'), models.CheckConstraint(condition=models.Q(('priority__in', ['low', 'normal', 'high', 'urgent'])), name='event_priority_known'), models.CheckConstraint(condition=models.Q(('hops__lte', 3)), name='event_hops_bounded')],
            },
        ),
        migrations.CreateModel(
            name='ChannelEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField()),
                ('channel', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='live.channel')),
                ('event', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='live.channelevent')),
            ],
            options={
                'verbose_name_plural': 'channel entries',
                'constraints': [models.UniqueConstraint(fields=('channel', 'sequence'), name='entry_sequence_once'), models.UniqueConstraint(fields=('event', 'channel'), name='entry_channel_once'), models.CheckConstraint(condition=models.Q(('sequence__gte', 1)), name='entry_sequence_positive')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('token_hash', models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=194), help_text='The only channels; null: all.', null=True, size=None)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('api_key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='weddings.apikey')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='weddings.organization')),
            ],
        ),
    ]
