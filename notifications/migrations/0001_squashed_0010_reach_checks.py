"""This app's tables in one step, for a new database; one of before goes on by the migrations that this replaces."""

import django.core.validators
import django.db.models.deletion
import wedsync.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('notifications', '0001_initial'), ('notifications', '0002_notifications'), ('notifications', '0003_windows'), ('notifications', '0004_incidents'), ('notifications', '0005_templates'), ('notifications', '0006_whatsapp_rows'), ('notifications', '0007_failed_messages'), ('notifications', '0008_incidents_without_wedding'), ('notifications', '0009_templates_approved_before'), ('notifications', '0010_reach_checks')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('integrations', '0001_squashed_0019_base_urls_by_one_rule'),
        ('live', '0001_squashed_0006_waiting_and_held'),
        ('weddings', '0001_squashed_0007_address_help'),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True)),
                ('drill', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], default='open', max_length=16)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('opened_by', models.CharField(max_length=200)),
                ('steps', models.JSONField(default=list, help_text='The plan, as it was when it was opened.')),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('next_step_at', models.DateTimeField(help_text="PostgreSQL's clock.", null=True)),
                ('ended_at', models.DateTimeField(help_text='When the plan ended without an acknowledgement.', null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('acknowledged_by', models.CharField(blank=True, max_length=200)),
                ('acknowledged_via', models.CharField(blank=True, max_length=32)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolved_by', models.CharField(blank=True, max_length=200)),
                ('told_at', models.DateTimeField(help_text='When reports were told last.')),
                ('update_due_at', models.DateTimeField(help_text='When the newest report that came too early is told.', null=True)),
                ('staff_due_at', models.DateTimeField(help_text='When owners and support are told, or told again.', null=True)),
                ('staff_calls', models.PositiveIntegerField(db_default=0, default=0, help_text='How often they were told.')),
                ('assumed_at', models.DateTimeField(help_text='When that one is alarmed, unless staff answer before.', null=True)),
                ('chosen_wedding', models.ForeignKey(db_index=False, help_text='Where its reports went.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='weddings.wedding')),
                ('connection', models.ForeignKey(db_index=False, help_text='Of one without a wedding: what it came through.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.connection')),
                ('event', models.OneToOneField(help_text='The report that opened it.', on_delete=django.db.models.deletion.CASCADE, related_name='opened_incident', to='live.channelevent')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='weddings.organization')),
                ('suggested_wedding', models.ForeignKey(db_index=False, help_text='The only wedding that it can be about.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='weddings.wedding')),
                ('wedding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='weddings.wedding')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='incident_newest'), models.Index(condition=models.Q(('next_step_at__isnull', False)), fields=['next_step_at'], name='incident_step_due'), models.Index(condition=models.Q(('update_due_at__isnull', False)), fields=['update_due_at'], name='incident_told_due'), models.Index(condition=models.Q(('staff_due_at__isnull', False)), fields=['staff_due_at'], name='incident_staff_due'), models.Index(condition=models.Q(('assumed_at__isnull', False)), fields=['assumed_at'], name='incident_assumed')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'resolved'), _negated=True), fields=('wedding', 'drill'), name='incident_one_at_a_time'), models.UniqueConstraint(condition=models.Q(('wedding__isnull', True), models.Q(('state', 'resolved'), _negated=True)), fields=('connection',), name='incident_one_without_wedding'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'acknowledged', 'resolved'])), name='incident_state_known')],
            },
        ),
        migrations.CreateModel(
            name='IncidentReport',
            fields=[
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='report', serialize=False, to='live.channelevent')),
                ('words', models.CharField(help_text='A hash of what it says.', max_length=64)),
                ('told_at', models.DateTimeField(null=True)),
                ('key', models.CharField(help_text='Connection and hashed id of what was refused or held.', max_length=110, null=True, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='notifications.incident')),
            ],
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('address', models.CharField(max_length=254)),
                ('subject', models.CharField(max_length=300)),
                ('text', models.TextField()),
                ('html', models.TextField(blank=True)),
                ('provider_id', models.CharField(blank=True, db_index=True, max_length=200)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('sent', 'Sent'), ('failed', 'Failed'), ('delivered', 'Delivered'), ('read', 'Read')], default='queued', max_length=16)),
                ('failure', models.CharField(blank=True, help_text='What the provider says went wrong.', max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('bounced_at', models.DateTimeField(null=True)),
                ('complained_at', models.DateTimeField(null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='message', to='integrations.delivery')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='weddings.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', '-id'], name='message_newest'), models.Index(fields=['organization', 'channel', 'address', '-id'], name='message_of_address'), models.Index(condition=models.Q(('failed_at__isnull', False)), fields=['failed_at'], name='message_failed')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'sent', 'failed', 'delivered', 'read'])), name='message_status_known')],
            },
        ),
        migrations.CreateModel(
            name='MessageTemplate',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('event_type', models.CharField(max_length=64)),
                ('channel', models.CharField(blank=True, choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], help_text='Empty: for every one.', max_length=16)),
                ('locale', models.CharField(default='en', help_text='Such as de, or de-AT for one region.', max_length=8)),
                ('text', models.TextField(help_text='First line: the headline. Each further line: a fact, as “Label: value”.')),
                ('version', models.PositiveIntegerField(default=1)),
                ('active', models.BooleanField(default=True, help_text='In force; else an earlier version, or withdrawn.')),
                ('note', models.CharField(blank=True, help_text='Why it was changed.', max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='weddings.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('active', True)), fields=('organization', 'event_type', 'channel', 'locale'), name='template_in_force_once'), models.UniqueConstraint(fields=('organization', 'event_type', 'channel', 'locale', 'version'), name='template_version_once'), models.CheckConstraint(condition=models.Q(('channel__in', ['', 'whatsapp', 'slack', 'email'])), name='template_channel_known')],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('recipient', models.CharField(help_text='“contact:”, “team:” or “staff:”, and an id or an address.', max_length=254)),
                ('name', models.CharField(help_text='As they were called then.', max_length=200)),
                ('priority', models.CharField(choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High'), ('urgent', 'Urgent')], max_length=8)),
                ('steps', models.JSONField(default=list, help_text='The plan, as it was when the event was routed.')),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('step_since', models.DateTimeField()),
                ('look_at', models.DateTimeField(help_text="When the plan is looked at next; PostgreSQL's clock.", null=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('reached', 'Reached'), ('failed', 'Failed'), ('left', 'Left')], default='open', max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notifications', to='weddings.contact')),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='notifications', to='live.channelevent')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.organization')),
                ('team', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.system')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('look_at__isnull', False)), fields=['look_at'], name='notification_due'), models.Index(fields=['organization', '-id'], name='notification_newest')],
                'constraints': [models.UniqueConstraint(fields=('event', 'recipient'), name='notification_once'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'reached', 'failed', 'left'])), name='notification_state_known')],
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('category', models.CharField(choices=[('timeline', 'Timeline'), ('bookings', 'Bookings'), ('payments', 'Payments'), ('gallery', 'Gallery'), ('capacity', 'Capacity'), ('emergencies', 'Emergencies'), ('journey', 'Journey')], max_length=16)),
                ('steps', models.JSONField(help_text='Such as [{"channels": ["preferred"], "until": "delivered"}, {"channels": ["other"]}]. docs/staff/notifications.md has the words.')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='plans', to='weddings.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'category'), name='plan_once')],
            },
        ),
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('category', models.CharField(choices=[('timeline', 'Timeline'), ('bookings', 'Bookings'), ('payments', 'Payments'), ('gallery', 'Gallery'), ('capacity', 'Capacity'), ('emergencies', 'Emergencies'), ('journey', 'Journey')], max_length=16)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('wanted', models.BooleanField(default=False)),
                ('source', models.CharField(blank=True, help_text="Who said so: staff, the API, a mail's link.", max_length=100)),
                ('changed_at', models.DateTimeField(auto_now=True)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='preferences', to='weddings.contact')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contact', 'category', 'channel'), name='preference_once'), models.CheckConstraint(condition=models.Q(('category__in', ['timeline', 'bookings', 'payments', 'gallery', 'capacity', 'emergencies', 'journey'])), name='preference_category_known'), models.CheckConstraint(condition=models.Q(('channel__in', ['whatsapp', 'slack', 'email'])), name='preference_channel_known')],
            },
        ),
        migrations.CreateModel(
            name='ReachCheck',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(help_text="UTC's of the daily one, else the wedding's at its venue.")),
                ('judged_at', models.DateTimeField(help_text='When it was looked at whether the daily one arrived.', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('event', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='live.channelevent')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reach_checks', to='weddings.organization')),
                ('wedding', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reach_checks', to='weddings.wedding')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('judged_at__isnull', True), ('wedding__isnull', True)), fields=['created_at'], name='reach_check_unjudged')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'wedding', 'day'), name='reach_check_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Sending',
            fields=[
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='sending', serialize=False, to='integrations.delivery')),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('notification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sendings', to='notifications.notification')),
            ],
        ),
        migrations.CreateModel(
            name='TraceEntry',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('recipient', models.CharField(blank=True, help_text='As in a notification; empty: the whole event.', max_length=254)),
                ('channel', models.CharField(blank=True, choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('what', models.CharField(choices=[('routed', 'Routed'), ('same_person', 'Same person'), ('not_sent', 'Not sent'), ('held', 'Held'), ('gathered', 'Gathered'), ('collapsed', 'Collapsed'), ('joined', 'Joined an incident'), ('sent', 'Sent'), ('failed', 'Failed'), ('fell_back', 'Fell back'), ('escalated', 'Escalated'), ('status', 'Status'), ('acknowledged', 'Acknowledged'), ('stopped', 'Stopped'), ('alerted', 'Alerted')], max_length=16)),
                ('text', models.CharField(help_text='A sentence for staff.', max_length=500)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='trace', to='weddings.contact')),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='trace', to='integrations.delivery')),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='trace', to='live.channelevent')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.organization')),
            ],
            options={
                'verbose_name_plural': 'trace',
                'indexes': [models.Index(fields=['event', 'id'], name='trace_of_event'), models.Index(fields=['organization', '-id'], name='trace_newest')],
            },
        ),
        migrations.CreateModel(
            name='WhatsAppTemplate',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=512, validators=[django.core.validators.RegexValidator('\\A[a-z0-9_]{1,512}\\Z', 'Small letters, digits and _ only, as at Meta.')])),
                ('language', models.CharField(max_length=8, validators=[django.core.validators.RegexValidator('\\A[a-z]{2,3}(_[A-Z]{2})?\\Z', "Meta's code of the language: de, or en_US.")])),
                ('purpose', models.CharField(choices=[('update', 'Update'), ('emergency', 'Emergency, to be acknowledged'), ('emergency_info', 'Emergency, to be read'), ('digest', 'Digest')], max_length=16)),
                ('body', models.TextField(help_text='As at Meta, with {{1}}, {{2}}, …', max_length=1024)),
                ('parameters', models.JSONField(blank=True, default=list, help_text='What fills {{1}}, {{2}}, …: ["recipient", "headline", "details"]; also couple, venue, date.')),
                ('buttons', models.JSONField(blank=True, default=list, help_text='As at Meta: [{"type": "quick_reply", "text": "I take care of it"}]')),
                ('status', models.CharField(choices=[('approved', 'Approved'), ('pending', 'Pending'), ('rejected', 'Rejected'), ('paused', 'Paused'), ('disabled', 'Disabled')], default='pending', help_text='At Meta. Only approved ones are used.', max_length=16)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='whatsapp_templates', to='weddings.organization')),
            ],
            options={
                'verbose_name': 'WhatsApp template',
                'constraints': [models.UniqueConstraint(fields=('organization', 'name', 'language'), name='whatsapp_template_once')],
            },
        ),
        migrations.CreateModel(
            name='Window',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('digest', 'Digest'), ('collapse', 'Collapse')], max_length=8)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('target', models.CharField(help_text="The normalized address, or the id of a team's system.", max_length=254)),
                ('subject', models.CharField(blank=True, help_text='What changes; empty: a digest takes everything.', max_length=300)),
                ('opens_at', models.DateTimeField(help_text="PostgreSQL's clock.")),
                ('closes_at', models.DateTimeField(help_text='The same.')),
                ('is_open', models.BooleanField(default=True, help_text='Takes further events.')),
                ('closed_at', models.DateTimeField(help_text='When it was decided what is sent.', null=True)),
                ('delivery', models.OneToOneField(help_text="What was sent for it: the digest's own delivery, or the one that was left.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='window', to='integrations.delivery')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.organization')),
                ('wedding', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='weddings.wedding')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['closes_at'], name='window_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('organization', 'kind', 'wedding', 'channel', 'target', 'subject'), name='window_open_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['digest', 'collapse'])), name='window_kind_known'), models.CheckConstraint(condition=models.Q(('is_open', False), ('closed_at', None), _connector='OR'), name='window_closed_takes_nothing')],
            },
        ),
        migrations.CreateModel(
            name='WindowEntry',
            fields=[
                ('id', models.UUIDField(default=wedsync.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16)),
                ('target', models.CharField(max_length=254)),
                ('subject', models.CharField(blank=True, help_text='What changes; empty: it stands for itself.', max_length=300)),
                ('outcome', models.CharField(blank=True, choices=[('', 'Not decided'), ('in_message', 'In a digest'), ('went_alone', 'As a message of its own'), ('collapsed', 'In the message about a newer change'), ('taken_back', 'Changed back before it was told'), ('left', 'Not by the window: called off, or gone by itself')], default='', max_length=16)),
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='window_entry', to='integrations.delivery')),
                ('event', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='live.channelevent')),
                ('window', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='notifications.window')),
            ],
            options={
                'verbose_name_plural': 'window entries',
                'constraints': [models.UniqueConstraint(fields=('event', 'channel', 'target'), name='window_entry_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'in_message', 'went_alone', 'collapsed', 'taken_back', 'left'])), name='window_entry_outcome_known')],
            },
        ),
    ]
