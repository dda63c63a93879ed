"""Which version of an organization's own template is active: a new one, an earlier one again, or none.

Rows are only ever added, and ``active`` marks the version in use. Saving locks the organization's row: of two
simultaneous saves, the second is told that there is a version it has not seen.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from notifications.message_templates import checking
from notifications.models import MessageTemplate
from wedsync.weddings.models import Organization


class ChangedMeanwhile(ValueError):
    """Somebody else has saved a version in the meantime."""


def versions(organization: Organization, event_type: str, channel: str, locale: str) -> Any:
    """All versions of one template, the newest first."""
    return MessageTemplate.objects.filter(
        organization=organization, event_type=event_type, channel=channel, locale=locale
    ).order_by("-version")


def versions_beside(template: MessageTemplate) -> Any:
    """All versions of a template, itself included, the newest first."""
    return versions(template.organization, template.event_type, template.channel, template.locale)


def check(text: str, event_type: str, channel: str, locale: str) -> None:
    """Check a text with the examples of its event type.

    Raises:
        ValidationError: by field.
    """
    try:
        checking.check(text, event_type, channel, locale)
    except checking.TemplateFault as error:
        raise ValidationError({error.field: str(error)}) from error


def put_in_force(
    organization: Organization,
    event_type: str,
    channel: str,
    locale: str,
    text: str,
    *,
    by: Any,
    note: str = "",
    seen: int | None = None,
) -> MessageTemplate:
    """Make the next version of a template and activate it in place of the current one.

    Arguments:
        channel: empty for every channel.
        by: the user; ``None``: nobody in particular.
        note: why, at most 200 characters.
        seen: the newest version that the writer knew, 0 for none; ``None``: do not compare.

    Raises:
        ChangedMeanwhile: there is a newer version than ``seen``.
        ValidationError: the text cannot be used; by field.
    """
    row = MessageTemplate(
        organization=organization, event_type=event_type, channel=channel, locale=locale, text=text, note=note
    )
    row.created_by = by
    row.clean_fields(exclude=["created_by"])
    check(text, event_type, channel, locale)
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        earlier = versions(organization, event_type, channel, locale)
        newest = earlier.values_list("version", flat=True).first() or 0
        if seen is not None and newest != seen:
            raise ChangedMeanwhile(f"Somebody else has saved version {newest} in the meantime. Read it first.")
        earlier.filter(active=True).update(active=False)
        row.version = newest + 1
        row.save(force_insert=True)
    return row


def use_again(template: MessageTemplate, by: Any) -> MessageTemplate:
    """Activate an earlier version's text again, as the next version.

    Raises:
        ValidationError: today's rules no longer allow it.
    """
    return put_in_force(
        template.organization,
        template.event_type,
        template.channel,
        template.locale,
        template.text,
        by=by,
        note=f"Version {template.version} again",
    )


def withdraw(template: MessageTemplate) -> bool:
    """Go back to the shipped template; whether this version was active."""
    done = MessageTemplate.objects.filter(pk=template.pk, active=True).update(active=False)
    template.active = False
    return bool(done)
