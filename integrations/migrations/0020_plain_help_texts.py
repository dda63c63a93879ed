"""Texts for staff: help texts and labels. No column changes."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0001_squashed_0019_base_urls_by_one_rule'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='alert',
                    name='about',
                    field=models.CharField(blank=True, default='', help_text="What else it concerns, such as an incident's id.", max_length=64),
                ),
                migrations.AlterField(
                    model_name='alert',
                    name='cause',
                    field=models.CharField(choices=[('system_critical', 'A system is critical'), ('system_stopped', 'A system was stopped'), ('oldest_due', 'Something is overdue'), ('web_silent', 'No sign of life from web'), ('sweep_silent', 'No sign of life from the sweep'), ('health_silent', 'No sign of life from the health sweep'), ('nobody_reached', 'Nobody could be reached'), ('template_refused', 'A template is not accepted'), ('row_locked', 'A row stays locked'), ('unanswered', 'An emergency that nobody acknowledged'), ('loop', 'Two systems contradict each other'), ('self_test', 'The daily self-test did not reach all staff')], max_length=16),
                ),
                migrations.AlterField(
                    model_name='alert',
                    name='told_at',
                    field=models.DateTimeField(help_text='When staff were last told, even of an earlier one.', null=True),
                ),
                migrations.AlterField(
                    model_name='attemptminute',
                    name='attempts',
                    field=models.PositiveIntegerField(help_text='Excludes those that say nothing about the system.'),
                ),
                migrations.AlterField(
                    model_name='attemptminute',
                    name='own_faults',
                    field=models.PositiveIntegerField(db_default=0, default=0, help_text='Failed because of a fault of ours.'),
                ),
                migrations.AlterField(
                    model_name='breakerchange',
                    name='breaker_key',
                    field=models.CharField(help_text='Webhooks to the same host share a breaker.', max_length=320),
                ),
                migrations.AlterField(
                    model_name='clientsync',
                    name='cursor',
                    field=models.CharField(blank=True, help_text="The system's own cursor of the next page; empty: start.", max_length=500),
                ),
                migrations.AlterField(
                    model_name='clientsync',
                    name='finished_at',
                    field=models.DateTimeField(help_text='When a run last read everything.', null=True),
                ),
                migrations.AlterField(
                    model_name='clientsync',
                    name='ran_at',
                    field=models.DateTimeField(help_text="When a page was last requested, by PostgreSQL's clock.", null=True),
                ),
                migrations.AlterField(
                    model_name='clientsync',
                    name='read_to',
                    field=models.DateTimeField(help_text='The newest change that was read; a restart begins here.', null=True),
                ),
                migrations.AlterField(
                    model_name='clientsync',
                    name='unknown',
                    field=models.PositiveBigIntegerField(default=0, help_text='Clients we have no matching contact for.'),
                ),
                migrations.AlterField(
                    model_name='connection',
                    name='limit_per_hour',
                    field=models.PositiveIntegerField(blank=True, help_text='The most verified requests per hour. Empty: the general limit.', null=True),
                ),
                migrations.AlterField(
                    model_name='connection',
                    name='networks',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=43), blank=True, default=list, help_text="The vendor's networks, such as 203.0.113.0/24, separated by commas, without a limit per sender.", size=None),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='channel',
                    field=models.CharField(help_text='“system”, or the channel to a person.', max_length=16),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='due_since',
                    field=models.DateTimeField(default=django.utils.timezone.now, help_text='The earliest time it could have been sent had nothing else blocked it.'),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='has_turn',
                    field=models.BooleanField(default=False, help_text='In flight, and the only one with its order key.'),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='hinted_at',
                    field=models.DateTimeField(help_text='When the sweep last hinted it to a worker.', null=True),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='next_attempt_at',
                    field=models.DateTimeField(default=django.utils.timezone.now, help_text="When it is due, by PostgreSQL's clock."),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='order_key',
                    field=models.CharField(blank=True, help_text='Wedding and event type; deliveries that set a state go one at a time.', max_length=110),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='request',
                    field=models.JSONField(help_text='Frozen at the first attempt; contains no credentials.', null=True),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='sets',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, help_text='The fields that the event sets.', size=None),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='shaped_by',
                    field=models.ForeignKey(db_index=False, help_text='The route whose mapping or template shapes the request; empty: the event is sent as it is.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.route'),
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='state_reason',
                    field=models.CharField(blank=True, choices=[('', 'None'), ('breaker_open', 'Breaker Open'), ('system_paused', 'System Paused'), ('quiet_hours', 'Quiet Hours'), ('rate_limited', 'Rate Limited'), ('waits_its_turn', 'Waits Its Turn'), ('awaits_status', 'Awaits Status'), ('gathered', 'Gathered'), ('pair_limited', 'Pair Limited'), ('network_error', 'Network Error'), ('timed_out', 'Timed Out'), ('server_error', 'Server Error'), ('throttled', 'Throttled'), ('worker_lost', 'Worker Lost'), ('our_fault', 'Our Fault'), ('refused', 'Refused'), ('expired', 'Expired'), ('system_disabled', 'System Disabled'), ('target_gone', 'Target Gone'), ('window_closed', 'Window Closed'), ('superseded', 'Superseded'), ('in_digest', 'In Digest'), ('taken_back', 'Taken Back'), ('acknowledged', 'Acknowledged'), ('no_recipient', 'No Recipient'), ('no_address', 'No Address'), ('not_wanted', 'Not Wanted'), ('no_consent', 'No Consent'), ('opted_out', 'Opted Out'), ('bounced', 'Bounced'), ('complained', 'Complained'), ('already_known', 'The system already knows it'), ('loop_stopped', 'Two systems keep contradicting each other'), ('credentials_refused', 'Credentials Refused'), ('by_staff', 'By Staff')], max_length=32),
                ),
                migrations.AlterField(
                    model_name='deliveryreason',
                    name='route_name',
                    field=models.CharField(help_text="The route's name at that time.", max_length=200),
                ),
                migrations.AlterField(
                    model_name='externalreference',
                    name='known',
                    field=models.JSONField(default=dict, editable=False, help_text='For a client: the values that the system is known to hold, by our names.'),
                ),
                migrations.AlterField(
                    model_name='externalreference',
                    name='known_at',
                    field=models.DateTimeField(editable=False, help_text='When the system says that it last changed.', null=True),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='attempts',
                    field=models.PositiveIntegerField(default=0, help_text='Calls in the window that count for health.'),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='by_priority',
                    field=models.JSONField(default=dict, help_text='Waiting deliveries by priority.'),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='mended_at',
                    field=models.DateTimeField(help_text='When a fault of ours was found to be mended.', null=True),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='own_fault',
                    field=models.CharField(blank=True, db_default='', default='', help_text='The text of the last one.', max_length=500),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='own_faults',
                    field=models.PositiveIntegerField(db_default=0, default=0, help_text='How many of the newest calls in a row.'),
                ),
                migrations.AlterField(
                    model_name='healthreading',
                    name='unusable',
                    field=models.CharField(blank=True, db_default='', default='', help_text='Why it cannot be called; empty: it can.', max_length=500),
                ),
                migrations.AlterField(
                    model_name='organizationreading',
                    name='oldest_due_seconds',
                    field=models.FloatField(help_text='Of deliveries and unrouted events.', null=True),
                ),
                migrations.AlterField(
                    model_name='organizationreading',
                    name='unrouted_seconds',
                    field=models.FloatField(help_text='Age of the oldest unrouted event.', null=True),
                ),
                migrations.AlterField(
                    model_name='pastreading',
                    name='attempts',
                    field=models.PositiveIntegerField(default=0, help_text='Calls in the window that count for health.'),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='active_from',
                    field=models.DateTimeField(blank=True, help_text='Only for events received from this time on.', null=True),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='active_until',
                    field=models.DateTimeField(blank=True, help_text='Only for events received before this time.', null=True),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='channel_pattern',
                    field=models.CharField(help_text='For example supplier:dashboard:{supplierId}.', max_length=194),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='channels',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email')], max_length=16), blank=True, default=list, help_text='whatsapp, email, slack; empty: the channel that each person prefers.', size=None),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='echo',
                    field=models.BooleanField(default=False, help_text='Also send back to the system that the event came from.'),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='event_types',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, help_text='Names, or patterns such as booking.*; empty: all.', size=None),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='everyone',
                    field=models.BooleanField(default=False, help_text='Everyone involved in the wedding, regardless of role.'),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='live_channel',
                    field=models.CharField(blank=True, help_text='For a live channel: its name; {name} is filled in from the pattern.', max_length=194),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='mapping',
                    field=models.JSONField(blank=True, default=dict, help_text='The fields to send: {"their.field": "our.path", "fixed": {"const": 1}}.'),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='priority',
                    field=models.CharField(blank=True, choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High')], default='', help_text="Deliveries have at least this priority; empty: the event's.", max_length=8),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='roles',
                    field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('couple', 'Couple'), ('photographer', 'Photographer'), ('venue', 'Venue'), ('caterer', 'Caterer'), ('coordinator', 'Coordinator'), ('vendor', 'Vendor')], max_length=16), blank=True, default=list, help_text='For people: roles in the wedding, separated by commas.', size=None),
                ),
                migrations.AlterField(
                    model_name='route',
                    name='template',
                    field=models.TextField(blank=True, default='', help_text='Or a Jinja2 template that produces a JSON object.'),
                ),
                migrations.AlterField(
                    model_name='routecondition',
                    name='path',
                    field=models.CharField(help_text='For example guest_count, extra.hall, changes.*.field, event.source.', max_length=200),
                ),
                migrations.AlterField(
                    model_name='routecondition',
                    name='value',
                    field=models.JSONField(blank=True, help_text='As JSON; a plain word counts as text.', null=True),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='base_url',
                    field=models.CharField(help_text='Without a trailing slash.', max_length=500),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='call_limit',
                    field=models.PositiveSmallIntegerField(blank=True, help_text='The most calls in flight; urgent deliveries have the same number on top. Empty: 4.', null=True, validators=[django.core.validators.MinValueValidator(1)]),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='rate_burst',
                    field=models.PositiveIntegerField(blank=True, help_text="Calls that may go out together after a pause. Empty: one second's worth, but at least 2; if the rate is empty too, the burst that the provider tolerates (Slack 5, Resend and MailerSend 10).", null=True, validators=[django.core.validators.MinValueValidator(1)]),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='rate_per_second',
                    field=models.FloatField(blank=True, help_text="The most calls per second. Empty: the provider's own limit (WhatsApp 80, Slack 1, Resend 5, Brevo 1000, MailerSend 2), and no limit for any other. A fifth of the burst is reserved for urgent deliveries.", null=True, validators=[django.core.validators.MinValueValidator(0.001)]),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='state_reason',
                    field=models.CharField(blank=True, choices=[('', 'None'), ('breaker_open', 'Breaker Open'), ('system_paused', 'System Paused'), ('quiet_hours', 'Quiet Hours'), ('rate_limited', 'Rate Limited'), ('waits_its_turn', 'Waits Its Turn'), ('awaits_status', 'Awaits Status'), ('gathered', 'Gathered'), ('pair_limited', 'Pair Limited'), ('network_error', 'Network Error'), ('timed_out', 'Timed Out'), ('server_error', 'Server Error'), ('throttled', 'Throttled'), ('worker_lost', 'Worker Lost'), ('our_fault', 'Our Fault'), ('refused', 'Refused'), ('expired', 'Expired'), ('system_disabled', 'System Disabled'), ('target_gone', 'Target Gone'), ('window_closed', 'Window Closed'), ('superseded', 'Superseded'), ('in_digest', 'In Digest'), ('taken_back', 'Taken Back'), ('acknowledged', 'Acknowledged'), ('no_recipient', 'No Recipient'), ('no_address', 'No Address'), ('not_wanted', 'Not Wanted'), ('no_consent', 'No Consent'), ('opted_out', 'Opted Out'), ('bounced', 'Bounced'), ('complained', 'Complained'), ('already_known', 'The system already knows it'), ('loop_stopped', 'Two systems keep contradicting each other'), ('credentials_refused', 'Credentials Refused'), ('by_staff', 'By Staff')], editable=False, max_length=32),
                ),
            ]
        ),
    ]
