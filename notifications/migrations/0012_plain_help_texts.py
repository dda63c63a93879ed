"""Texts for staff: help texts and labels. No column changes."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from wedsync.database.migrating import AlterTexts


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0021_text_messages'),
        ('notifications', '0011_text_messages'),
        ('weddings', '0009_plain_help_texts'),
    ]

    operations = [
        AlterTexts(
            [
                migrations.AlterField(
                    model_name='incident',
                    name='assumed_at',
                    field=models.DateTimeField(help_text='When that wedding is alerted, unless staff answer first.', null=True),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='chosen_wedding',
                    field=models.ForeignKey(db_index=False, help_text='The wedding to which its reports went.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='weddings.wedding'),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='connection',
                    field=models.ForeignKey(db_index=False, help_text='Without a wedding: the connection that reported it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.connection'),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='staff_due_at',
                    field=models.DateTimeField(help_text='When owners and support are next told.', null=True),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='steps',
                    field=models.JSONField(default=list, help_text='The plan at the time when it was opened.'),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='suggested_wedding',
                    field=models.ForeignKey(db_index=False, help_text='The only wedding that it can concern.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='weddings.wedding'),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='told_at',
                    field=models.DateTimeField(help_text='When people were last told of reports.'),
                ),
                migrations.AlterField(
                    model_name='incident',
                    name='update_due_at',
                    field=models.DateTimeField(help_text='When people are told of the newest report.', null=True),
                ),
                migrations.AlterField(
                    model_name='incidentreport',
                    name='key',
                    field=models.CharField(help_text='Connection and hashed id of a refused or held event.', max_length=110, null=True, unique=True),
                ),
                migrations.AlterField(
                    model_name='incidentreport',
                    name='words',
                    field=models.CharField(help_text='A hash of its content.', max_length=64),
                ),
                migrations.AlterField(
                    model_name='messagetemplate',
                    name='active',
                    field=models.BooleanField(default=True, help_text='In use; otherwise an earlier version, or withdrawn.'),
                ),
                migrations.AlterField(
                    model_name='messagetemplate',
                    name='channel',
                    field=models.CharField(blank=True, choices=[('whatsapp', 'WhatsApp'), ('slack', 'Slack'), ('email', 'Email'), ('sms', 'SMS')], help_text='Empty: every channel.', max_length=16),
                ),
                migrations.AlterField(
                    model_name='messagetemplate',
                    name='locale',
                    field=models.CharField(default='en', help_text='For instance de, or de-AT for one region.', max_length=8),
                ),
                migrations.AlterField(
                    model_name='notification',
                    name='look_at',
                    field=models.DateTimeField(help_text="When the plan is next judged; PostgreSQL's clock.", null=True),
                ),
                migrations.AlterField(
                    model_name='notification',
                    name='name',
                    field=models.CharField(help_text="The recipient's name at the time.", max_length=200),
                ),
                migrations.AlterField(
                    model_name='notification',
                    name='steps',
                    field=models.JSONField(default=list, help_text='The plan at the time when the event was routed.'),
                ),
                migrations.AlterField(
                    model_name='plan',
                    name='steps',
                    field=models.JSONField(help_text='Such as [{"channels": ["preferred"], "until": "delivered"}, {"channels": ["other"]}]. docs/staff/notifications.md explains the words.'),
                ),
                migrations.AlterField(
                    model_name='preference',
                    name='source',
                    field=models.CharField(blank=True, help_text="Who decided: staff, the API, an email's link.", max_length=100),
                ),
                migrations.AlterField(
                    model_name='reachcheck',
                    name='day',
                    field=models.DateField(help_text="Of the daily check in UTC, otherwise the wedding's, at its venue."),
                ),
                migrations.AlterField(
                    model_name='reachcheck',
                    name='judged_at',
                    field=models.DateTimeField(help_text='When we checked that the daily one arrived.', null=True),
                ),
                migrations.AlterField(
                    model_name='traceentry',
                    name='recipient',
                    field=models.CharField(blank=True, help_text='As of a notification; empty: the whole event.', max_length=254),
                ),
                migrations.AlterField(
                    model_name='whatsapptemplate',
                    name='buttons',
                    field=models.JSONField(blank=True, default=list, help_text='As at Meta: [{"type": "quick_reply", "text": "Confirm"}]'),
                ),
                migrations.AlterField(
                    model_name='whatsapptemplate',
                    name='language',
                    field=models.CharField(max_length=8, validators=[django.core.validators.RegexValidator('\\A[a-z]{2,3}(_[A-Z]{2})?\\Z', "Meta's language code, such as de or en_US.")]),
                ),
                migrations.AlterField(
                    model_name='whatsapptemplate',
                    name='name',
                    field=models.CharField(max_length=512, validators=[django.core.validators.RegexValidator('\\A[a-z0-9_]{1,512}\\Z', 'Only lowercase letters, digits and _, as at Meta.')]),
                ),
                migrations.AlterField(
                    model_name='whatsapptemplate',
                    name='purpose',
                    field=models.CharField(choices=[('update', 'Update'), ('emergency', 'Emergency, to acknowledge'), ('emergency_info', 'Emergency, for information'), ('digest', 'Digest')], max_length=16),
                ),
                migrations.AlterField(
                    model_name='window',
                    name='closed_at',
                    field=models.DateTimeField(help_text='When the decision was made what to send.', null=True),
                ),
                migrations.AlterField(
                    model_name='window',
                    name='closes_at',
                    field=models.DateTimeField(help_text="PostgreSQL's clock."),
                ),
                migrations.AlterField(
                    model_name='window',
                    name='delivery',
                    field=models.OneToOneField(help_text="What was sent: the digest's own delivery, or the last remaining one.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='window', to='integrations.delivery'),
                ),
                migrations.AlterField(
                    model_name='window',
                    name='is_open',
                    field=models.BooleanField(default=True, help_text='Accepts further events.'),
                ),
                migrations.AlterField(
                    model_name='window',
                    name='subject',
                    field=models.CharField(blank=True, help_text='What changes; empty: a digest, which takes all.', max_length=300),
                ),
                migrations.AlterField(
                    model_name='windowentry',
                    name='outcome',
                    field=models.CharField(blank=True, choices=[('', 'Not decided'), ('in_message', 'In a digest'), ('went_alone', 'As its own message'), ('collapsed', 'In the message about a newer change'), ('taken_back', 'Reverted before anybody was told'), ('left', 'Not by the window: cancelled, or sent separately')], default='', max_length=16),
                ),
                migrations.AlterField(
                    model_name='windowentry',
                    name='subject',
                    field=models.CharField(blank=True, help_text='What changes; empty: only itself.', max_length=300),
                ),
            ]
        ),
    ]
