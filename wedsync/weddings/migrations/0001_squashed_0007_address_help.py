"""This app's tables in one step, for a new database; one of before goes on by the migrations that this replaces."""

import django.contrib.postgres.fields
import django.db.models.deletion
import wedsync.ids
import wedsync.weddings.models
import wedsync.weddings.validators
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('weddings', '0001_initial'), ('weddings', '0002_api_key_scopes'), ('weddings', '0003_people'), ('weddings', '0004_addresses'), ('weddings', '0005_contact_fields'), ('weddings', '0006_addresses_in_one_form'), ('weddings', '0007_address_help')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('slug', models.SlugField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('value', models.CharField(help_text='A phone with its country code, or an email address. It is kept in one form.', max_length=254)),
                ('consented_at', models.DateTimeField(blank=True, null=True)),
                ('consent_source', models.CharField(blank=True, help_text='How the consent was given.', max_length=200)),
                ('opted_out_at', models.DateTimeField(blank=True, null=True)),
                ('bounced_at', models.DateTimeField(blank=True, null=True)),
                ('bounce_reason', models.CharField(blank=True, help_text='What the provider said.', max_length=200)),
                ('complained_at', models.DateTimeField(blank=True, null=True)),
                ('last_inbound_at', models.DateTimeField(blank=True, help_text='When they wrote last: for 24 hours WhatsApp takes free text to them.', null=True)),
                ('window_closed_at', models.DateTimeField(blank=True, help_text='When WhatsApp last said that this time is over.', null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='weddings.organization')),
            ],
            options={
                'verbose_name_plural': 'addresses',
                'constraints': [models.UniqueConstraint(fields=('organization', 'channel', 'value'), name='address_once'), models.CheckConstraint(condition=models.Q(('channel__in', ['whatsapp', 'slack', 'email'])), name='address_channel_known')],
            },
        ),
        migrations.CreateModel(
            name='Wedding',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('couple', models.CharField(help_text='For instance “Anna & Ben”.', max_length=200)),
                ('date', models.DateField()),
                ('venue_name', models.CharField(blank=True, max_length=200)),
                ('timezone', models.CharField(help_text="The venue's, IANA name.", max_length=64, validators=[wedsync.weddings.validators.validate_time_zone])),
                ('ceremony_time', models.TimeField(blank=True, null=True)),
                ('reception_time', models.TimeField(blank=True, null=True)),
                ('reception_end', models.TimeField(blank=True, help_text="Before the reception's start: the next day.", null=True)),
                ('guest_count', models.PositiveIntegerField(blank=True, null=True)),
                ('capacity', models.PositiveIntegerField(blank=True, null=True)),
                ('field_changed_at', models.JSONField(default=dict, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='weddings', to='weddings.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'date'], name='wedding_by_date')],
            },
        ),
        migrations.CreateModel(
            name='Form',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=200)),
                ('wedding_fields', models.JSONField(blank=True, default=dict, help_text='Answer to field of the wedding, for instance {"new_date": "date"}.')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='forms', to='weddings.organization')),
                ('wedding', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='forms', to='weddings.wedding')),
            ],
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('role', models.CharField(choices=[('couple', 'Couple'), ('photographer', 'Photographer'), ('venue', 'Venue'), ('caterer', 'Caterer'), ('coordinator', 'Coordinator'), ('vendor', 'Vendor')], max_length=16)),
                ('phone', models.CharField(blank=True, help_text='With its country code, for instance +43 660 123 45 67.', max_length=40)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('locale', models.CharField(default='en', max_length=8, validators=[wedsync.weddings.validators.validate_locale])),
                ('timezone', models.CharField(default='UTC', max_length=64, validators=[wedsync.weddings.validators.validate_time_zone])),
                ('preferred_channels', models.JSONField(blank=True, default=list, help_text='Most wanted first, for instance ["whatsapp", "email"]; empty: all.')),
                ('quiet_from', models.TimeField(blank=True, help_text="In the contact's own zone.", null=True)),
                ('quiet_until', models.TimeField(blank=True, null=True)),
                ('call_order', models.PositiveSmallIntegerField(blank=True, help_text='In an emergency; 1 is called first.', null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='weddings.organization')),
                ('wedding', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='weddings.wedding')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['couple', 'photographer', 'venue', 'caterer', 'coordinator', 'vendor'])), name='contact_role_known'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_until__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='contact_quiet_hours_whole')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('planner', 'Planner'), ('support', 'Support'), ('owner', 'Owner')], default='planner', max_length=16)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='weddings.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'organization'), name='membership_once_per_user'), models.CheckConstraint(condition=models.Q(('role__in', ['planner', 'support', 'owner'])), name='membership_role_known')],
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('key_hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('events:read', 'events:read · weddings and events'), ('events:write', 'events:write · weddings, forms, journeys'), ('live:read', 'live:read · tickets of live channels'), ('config:read', 'config:read · routes, systems, connections, references'), ('config:write', 'config:write · change these, and make secrets'), ('deliveries:read', 'deliveries:read · deliveries and attempts'), ('deliveries:write', 'deliveries:write · resend and cancel'), ('health:read', 'health:read · health')], max_length=32), default=wedsync.weddings.models.every_scope, help_text='What it may do.', size=None)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(blank=True, help_text='Refused from here on. To revoke a key, set this to now, or delete it.', null=True)),
                ('last_used_at', models.DateTimeField(editable=False, help_text='To the minute.', null=True)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='weddings.organization')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['events:read', 'events:write', 'live:read', 'config:read', 'config:write', 'deliveries:read', 'deliveries:write', 'health:read'])), name='apikey_scopes_known')],
            },
        ),
        migrations.CreateModel(
            name='AddressChange',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('what', models.CharField(choices=[('opted_out', 'Opted out'), ('opted_in', 'Opt-out ended'), ('bounced', 'Bounced'), ('bounce_lifted', 'Bounce lifted'), ('complained', 'Complained'), ('complaint_lifted', 'Complaint lifted'), ('consent', 'Consent changed'), ('merged', 'Merged with another spelling')], max_length=20)),
                ('by', models.CharField(help_text="A person's name, or what told us.", max_length=200)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('address', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='weddings.address')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['address', '-id'], name='address_change_of_address')],
            },
        ),
        migrations.CreateModel(
            name='AddressAlias',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('alias', models.CharField(help_text='As the provider writes it.', max_length=200)),
                ('noted_at', models.DateTimeField(auto_now_add=True)),
                ('address', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='weddings.address')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.organization')),
            ],
            options={
                'verbose_name_plural': 'address aliases',
                'constraints': [models.UniqueConstraint(fields=('organization', 'channel', 'alias', 'address'), name='address_alias_once')],
            },
        ),
    ]
