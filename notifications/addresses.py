"""What providers and people say of an address: each a conditional write, which says the same in any order and twice.

An address belongs to its organization: what one was told says nothing to another.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest, Least

from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import Address, Channel

WROTE_START = "wrote START on WhatsApp"
_LONGEST_REASON = 200


def bounced(organization_id: UUID, channel: Channel, value: str, at: datetime, reason: str) -> None:
    """Nothing arrives there. The first bounce keeps its time and reason; only staff take the mark away."""
    _row(organization_id, channel, value).filter(bounced_at=None).update(
        bounced_at=at, bounce_reason=reason[:_LONGEST_REASON]
    )


def complained(organization_id: UUID, channel: Channel, value: str, at: datetime) -> None:
    """Its owner called a message spam."""
    _row(organization_id, channel, value).update(complained_at=Least(F("complained_at"), at))


def window_closed(organization_id: UUID, channel: Channel, value: str, at: datetime) -> None:
    """WhatsApp refused free text, since its owner had not written for 24 hours."""
    _row(organization_id, channel, value).update(window_closed_at=Greatest(F("window_closed_at"), at))


def wrote(organization_id: UUID, channel: Channel, value: str, at: datetime) -> None:
    """Its owner wrote to us. Free text may follow for a while; it is no consent by itself."""
    _row(organization_id, channel, value).update(last_inbound_at=Greatest(F("last_inbound_at"), at))


def opted_out(organization_id: UUID, channel: Channel, value: str, at: datetime) -> bool:
    """Its owner wants nothing more on this channel; true where that is news.

    A later START counts more. A consent of another kind does not: it may have been typed in from an older paper.
    """
    newer_start = Q(consented_at__gt=at, consent_source__startswith=WROTE_START)
    rows = _row(organization_id, channel, value).exclude(_known(newer_start))
    return bool(rows.filter(Q(opted_out_at=None) | Q(opted_out_at__lt=at)).update(opted_out_at=at))


def opted_in(organization_id: UUID, channel: Channel, value: str, at: datetime) -> bool:
    """Its owner wants messages again, and says so in writing; true where that is news.

    A later STOP counts more, and so does one of the same second: Meta gives no smaller ones.
    """
    newer_start = Q(consented_at__gte=at, consent_source__startswith=WROTE_START)
    rows = _row(organization_id, channel, value).exclude(_known(newer_start))
    return bool(
        rows.filter(Q(opted_out_at=None) | Q(opted_out_at__lt=at)).update(
            opted_out_at=None, consented_at=at, consent_source=f"{WROTE_START}, {at:%Y-%m-%d}"
        )
    )


def _known(condition: Q) -> Q:
    """The same, false instead of unknown where nobody has consented yet."""
    return condition & Q(consented_at__isnull=False)


def _row(organization_id: UUID, channel: Channel, value: str) -> QuerySet[Address]:
    """The address, made where it is missing; whoever makes the same one meanwhile is waited for."""
    key = {"organization_id": organization_id, "channel": channel, "value": in_one_form(channel, value)}
    Address.objects.bulk_create([Address(**key)], ignore_conflicts=True)
    return Address.objects.filter(**key)
