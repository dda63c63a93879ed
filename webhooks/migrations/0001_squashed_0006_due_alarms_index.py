"""This app's tables in one step, for a new database; one of before goes on by the migrations that this replaces."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.fields.json
import wedsync.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('webhooks', '0001_initial'), ('webhooks', '0002_the_door_in'), ('webhooks', '0003_confirmations'), ('webhooks', '0004_taking_notices'), ('webhooks', '0005_alarms_of_emergencies'), ('webhooks', '0006_due_alarms_index')]

    initial = True

    dependencies = [
        ('integrations', '0001_squashed_0019_base_urls_by_one_rule'),
        ('weddings', '0001_squashed_0007_address_help'),
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('verdict', models.CharField(choices=[('accepted', 'Accepted'), ('unrecognised', 'Unrecognised'), ('reused_id', 'Reused Id'), ('rejected', 'Rejected')], max_length=16)),
                ('signed', models.BooleanField(default=False, help_text="Whether one of the connection's secrets made its signature.")),
                ('slug', models.CharField(blank=True, help_text="The answer's, where it was a problem.", max_length=40)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('errors', models.JSONField(blank=True, default=list, help_text='Fields that were wrong, and why.')),
                ('unkept', models.PositiveIntegerField(default=0, help_text='How many rejected ones before this were only counted, since there were so many.')),
                ('older_secret_id', models.UUIDField(blank=True, help_text='The secret that signed it, where that was not the newest.', null=True)),
                ('alarm', models.CharField(blank=True, choices=[('', 'None'), ('due', 'Due'), ('told', 'Told')], db_default='', default='', help_text='Of a signed emergency that was refused, or is held: whether staff were told.', max_length=8)),
                ('reprocessed_at', models.DateTimeField(blank=True, null=True)),
                ('event_id', models.UUIDField(blank=True, null=True)),
                ('external_id', models.CharField(blank=True, max_length=200)),
                ('event_type', models.CharField(blank=True, help_text="In the vendor's own words.", max_length=100)),
                ('body', models.BinaryField(help_text='As received.')),
                ('body_size', models.PositiveIntegerField(default=0, help_text='Bytes as received.')),
                ('headers', models.JSONField(default=dict, help_text='Chosen ones; never a signature.')),
                ('remote_address', models.GenericIPAddressField(blank=True, null=True)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='integrations.connection')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='weddings.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'id'], name='receipt_newest'), models.Index(fields=['connection', 'id'], name='receipt_of_connection'), models.Index(condition=models.Q(('signed', False), ('verdict', 'rejected')), fields=['connection', 'id'], name='receipt_unsigned'), models.Index(condition=models.Q(('older_secret_id__isnull', False)), fields=['older_secret_id', 'id'], name='receipt_older_secret'), models.Index(condition=models.Q(('alarm', 'due')), fields=['id'], name='receipt_alarm_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('verdict__in', ['accepted', 'unrecognised', 'reused_id', 'rejected'])), name='receipt_verdict_known')],
            },
        ),
        migrations.CreateModel(
            name='ProviderNotice',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('status', 'Status'), ('message', 'Message'), ('interaction', 'Interaction'), ('other', 'Other')], max_length=16)),
                ('name', models.CharField(help_text="In the provider's words: delivered, email.bounced, block_actions.", max_length=64)),
                ('provider_id', models.CharField(blank=True, help_text='The message that it is about.', max_length=200)),
                ('occurred_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('data', models.JSONField(help_text="The provider's own object.")),
                ('taken_at', models.DateTimeField(help_text='When it took effect, or was given up; empty: it will.', null=True)),
                ('take_after', models.DateTimeField(help_text="Not before this; PostgreSQL's clock.", null=True)),
                ('take_failures', models.PositiveSmallIntegerField(db_default=0)),
                ('taken_error', models.CharField(db_default='', help_text='Why it did not take effect.', max_length=100)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='integrations.connection')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='weddings.organization')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='webhooks.receipt')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'id'], name='notice_newest'), models.Index(fields=['connection', 'provider_id'], name='notice_of_message'), models.Index(condition=models.Q(('taken_at__isnull', True)), fields=['connection', 'id'], name='notice_untaken'), models.Index(django.db.models.fields.json.KeyTextTransform('biz_opaque_callback_data', 'data'), condition=models.Q(('kind', 'status')), name='notice_of_delivery')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['status', 'message', 'interaction', 'other'])), name='notice_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='DedupId',
            fields=[
                ('pk', models.CompositePrimaryKey('connection_id', 'external_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('external_id', models.CharField(max_length=200)),
                ('receipt_id', models.UUIDField(help_text="The first request's, which is also its event's.")),
                ('body_hash', models.BinaryField(max_length=32)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='dedup_ids', to='integrations.connection')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.BrinIndex(fields=['received_at'], name='dedup_id_age')],
            },
        ),
    ]
