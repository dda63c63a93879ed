"""Which version of an organization's own words is in force: a new one, an earlier one again, or none.

Rows are only ever added; beside that, ``active`` says which version counts. Whoever writes one holds the organization's
row, so two at once come one behind the other, and the second is told that it has not seen the first.
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
    """All versions of one text, the newest first."""
    return MessageTemplate.objects.filter(
        organization=organization, event_type=event_type, channel=channel, locale=locale
    ).order_by("-version")


def versions_beside(template: MessageTemplate) -> Any:
    """All versions of a template's text, itself included, the newest first."""
    return versions(template.organization, template.event_type, template.channel, template.locale)


def check(text: str, event_type: str, channel: str, locale: str) -> None:
    """Try a text on the examples of its event type.

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
    """Make the next version of a text, in force from now on in place of the one before.

    Arguments:
        channel: empty where it is for every one.
        by: the user; ``None``: nobody in particular.
        note: why, at most 200 characters.
        seen: the newest version that the writer knew of, 0 for none; ``None``: it does not matter.

    Raises:
        ChangedMeanwhile: there is a newer version than ``seen``.
        ValidationError: the text is not fit, by field.
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
            raise ChangedMeanwhile(f"Somebody else has saved version {newest} in the meantime. Look at it first.")
        earlier.filter(active=True).update(active=False)
        row.version = newest + 1
        row.save(force_insert=True)
    return row


def use_again(template: MessageTemplate, by: Any) -> MessageTemplate:
    """Put an earlier version's words in force again, as the next version.

    Raises:
        ValidationError: by today's rules they are not fit any more.
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
    """Go back to the shipped words; whether this version was in force."""
    done = MessageTemplate.objects.filter(pk=template.pk, active=True).update(active=False)
    template.active = False
    return bool(done)
