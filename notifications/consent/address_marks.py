"""What providers and people say about an address: conditional writes, with one result in any order and if repeated.

An address belongs to its organization: what one organization was told does not count for another. Only a message from
the person, or staff, lifts a bounce; an opt-out ends by START, by the person's own page, or by staff with a reason; a
complaint ends by staff alone (:mod:`notifications.consent.staff_decisions`). docs/adr/0070. An address that its owner
registers ends both.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Greatest, Least

from notifications.models import Message
from wedsync.weddings.addresses import in_one_form, other_forms
from wedsync.weddings.models import Address, AddressAlias, AddressChange, ContactChannel

_WROTE_START = "wrote START on {}"
_LONGEST_REASON = 200
_LONGEST_ALIAS = 200
What = AddressChange.What


@transaction.atomic
def bounced(organization_id: UUID, channel: ContactChannel, value: str, at: datetime, reason: str) -> None:
    """Nothing arrives there. The first bounce's time and reason are kept; a later message from the person wins."""
    rows = _row(organization_id, channel, value).filter(Q(last_inbound_at=None) | Q(last_inbound_at__lt=at))
    if rows.filter(bounced_at=None).update(bounced_at=at, bounce_reason=reason[:_LONGEST_REASON]):
        record(rows, What.BOUNCED, f"{channel.label}'s provider", reason)


@transaction.atomic
def complained(organization_id: UUID, channel: ContactChannel, value: str, at: datetime) -> None:
    """Its owner marked a message as spam."""
    rows = _row(organization_id, channel, value)
    if rows.filter(complained_at=None).update(complained_at=at):
        record(rows, What.COMPLAINED, f"{channel.label}'s provider", "marked a message as spam")
    else:
        rows.update(complained_at=Least(F("complained_at"), at))


def window_closed(organization_id: UUID, channel: ContactChannel, value: str, at: datetime) -> None:
    """WhatsApp refused free text because its owner had not written for 24 hours."""
    _row(organization_id, channel, value).update(window_closed_at=Greatest(F("window_closed_at"), at))


@transaction.atomic
def wrote(organization_id: UUID, channel: ContactChannel, value: str, at: datetime) -> None:
    """Its owner wrote to us. That allows free text for a while and ends an earlier bounce, but is not consent."""
    rows = _row(organization_id, channel, value)
    rows.update(last_inbound_at=Greatest(F("last_inbound_at"), at))
    newer = Message.objects.filter(
        organization_id=organization_id, channel=channel, address=in_one_form(channel, value), bounced_at__gt=at
    )
    if rows.filter(~Exists(newer), bounced_at__lte=at).update(bounced_at=None, bounce_reason=""):
        record(rows, What.BOUNCE_LIFTED, "the person", f"wrote to us by {channel.label}")


@transaction.atomic
def opted_out(
    organization_id: UUID, channel: ContactChannel, value: str, at: datetime, *, by: str = "the person"
) -> bool:
    """Its owner wants nothing more on this channel; true where that is new. ``by``: who told us.

    A later START wins. Consent of another kind does not: it may have been typed in from an older form.
    """
    newer_start = Q(consented_at__gt=at, consent_source__startswith=_WROTE_START.format(channel.label))
    rows = _row(organization_id, channel, value)
    stale = rows.exclude(_known(newer_start))
    if stale.filter(opted_out_at=None).update(opted_out_at=at):
        record(rows, What.OPTED_OUT, by)
        return True
    return bool(stale.filter(opted_out_at__lt=at).update(opted_out_at=at))


@transaction.atomic
def opted_in(organization_id: UUID, channel: ContactChannel, value: str, at: datetime) -> bool:
    """Its owner wants messages again, and says so in writing; true where that is new.

    A later STOP wins, as does one in the same second: Meta's times have whole seconds.
    """
    newer_start = Q(consented_at__gte=at, consent_source__startswith=_WROTE_START.format(channel.label))
    rows = _row(organization_id, channel, value)
    older = rows.exclude(_known(newer_start)).filter(Q(opted_out_at=None) | Q(opted_out_at__lt=at))
    source = f"{_WROTE_START.format(channel.label)}, {at:%Y-%m-%d}"
    out = older.filter(opted_out_at__isnull=False).exists()
    done = older.update(opted_out_at=None, consented_at=at, consent_source=source)
    if done and out:
        record(rows, What.OPTED_IN, "the person", source)
    return bool(done)


@transaction.atomic
def came_back(organization_id: UUID, channel: ContactChannel, value: str, *, by: str) -> bool:
    """Its owner, or staff for them, end an opt-out; true where there was one. ``by``: who, for the record."""
    rows = _row(organization_id, channel, value)
    if not rows.filter(opted_out_at__isnull=False).update(opted_out_at=None):
        return False
    record(rows, What.OPTED_IN, by)
    return True


@transaction.atomic
def registered(organization_id: UUID, channel: ContactChannel, value: str, at: datetime, *, source: str) -> None:
    """Its owner has registered it by themselves: that is consent, and ends an earlier opt-out or bounce."""
    rows = _row(organization_id, channel, value)
    for ended, what, column in (
        (rows.filter(opted_out_at__isnull=False), What.OPTED_IN, {"opted_out_at": None}),
        (rows.filter(bounced_at__isnull=False), What.BOUNCE_LIFTED, {"bounced_at": None, "bounce_reason": ""}),
    ):
        if ended.update(**column):
            record(rows, what, source)
    if rows.filter(consented_at=None).update(consented_at=at, consent_source=source):
        record(rows, What.CONSENT, source)


def known_as(organization_id: UUID, channel: ContactChannel, value: str, names: Iterable[str]) -> None:
    """Remember a provider's other names for an address, such as ``wa_id``.

    A STOP that somebody sent earlier under such a name counts here from now on. Where the provider's only name is the
    address itself, no query is made.
    """
    others = sorted({name for name in names if 0 < len(name) <= _LONGEST_ALIAS and f"+{name}" != value})
    of = {"organization_id": organization_id, "channel": channel}
    aliases = AddressAlias.objects.filter(**of, alias__in=others, address__value=value)
    if not others or aliases.count() == len(others):
        return
    with transaction.atomic():
        address = _row(organization_id, channel, value).get()
        new = [AddressAlias(**of, alias=name, address=address) for name in others]
        AddressAlias.objects.bulk_create(new, ignore_conflicts=True)
        for other in Address.objects.filter(**of, value__in=[f"+{name}" for name in others]).order_by("value"):
            if other.opted_out_at:
                opted_out(organization_id, channel, value, other.opted_out_at, by=f"STOP from {other.value}")


def called(organization_id: UUID, channel: ContactChannel, names: Iterable[str]) -> set[str]:
    """The addresses that a provider means by any of these names: a phone's digits, or its own id for a person.

    Some countries' numbers have two forms (:func:`wedsync.weddings.addresses.other_forms`): where we know the other
    one, it is included.
    """
    wanted = {name for name in names if name}
    of = {"organization_id": organization_id, "channel": channel}
    found = set(AddressAlias.objects.filter(**of, alias__in=wanted).values_list("address__value", flat=True))
    forms = {form for name in wanted for form in other_forms(f"+{name}")}
    if forms:
        found |= set(Address.objects.filter(**of, value__in=forms).values_list("value", flat=True))
    return found


def _known(condition: Q) -> Q:
    """The condition, false instead of unknown where nobody has consented yet."""
    return condition & Q(consented_at__isnull=False)


def record(rows: QuerySet[Address], what: AddressChange.What, by: str, reason: str = "") -> None:
    """Record who changed what, in the transaction of the change, which has locked the rows."""
    AddressChange.objects.bulk_create(
        AddressChange(organization_id=owner, address_id=key, what=what, by=by[:200], reason=reason[:500])
        for key, owner in rows.values_list("id", "organization_id")
    )


def _row(organization_id: UUID, channel: ContactChannel, value: str) -> QuerySet[Address]:
    """The address, created where it is missing; this waits for another transaction that is creating it."""
    key = {"organization_id": organization_id, "channel": channel, "value": in_one_form(channel, value)}
    Address.objects.bulk_create([Address(**key)], ignore_conflicts=True)
    return Address.objects.filter(**key)
