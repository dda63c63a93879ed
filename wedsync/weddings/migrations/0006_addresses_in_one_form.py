"""Addresses and contacts that were stored as somebody typed them, in the one form in which they are compared.

Where two rows turn out to be one address, they become one, and what is stricter counts: an opt-out, a bounce or a
complaint of either stays. It goes in small transactions, so that nobody waits for it, and may be run again.
"""

from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction

from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import ContactChannel

BATCH = 1_000


def addresses(apps: Any, schema_editor: Any) -> None:
    """Each address that is not in its one form, renamed, or merged into the one that has it already."""
    model = apps.get_model("weddings", "Address")
    for row in _each(model, "id", "channel", "value"):
        value = in_one_form(ContactChannel(row.channel), row.value)
        if value != row.value:
            with transaction.atomic():
                _bring(apps, row.id, value)


def contacts(apps: Any, schema_editor: Any) -> None:
    """Phones and emails of contacts, so that staff see what is compared; what is no address stays as it is."""
    model = apps.get_model("weddings", "Contact")
    for row in _each(model, "id", "phone", "email"):
        found = {
            name: value
            for name, channel in (("phone", ContactChannel.WHATSAPP), ("email", ContactChannel.EMAIL))
            if (value := in_one_form(channel, getattr(row, name))) != getattr(row, name)
        }
        if found:
            model.objects.filter(id=row.id, phone=row.phone, email=row.email).update(**found)


def _each(model: Any, *names: str) -> Iterator[Any]:
    """Every row, by id, a batch at a time: they are time-ordered, and newer ones are in their one form."""
    reached = None
    while True:
        rows = model.objects.filter(id__gt=reached) if reached else model.objects.all()
        found = list(rows.order_by("id").only(*names)[:BATCH])
        yield from found
        if len(found) < BATCH:
            return
        reached = found[-1].id


def _bring(apps: Any, row_id: Any, value: str) -> None:
    model = apps.get_model("weddings", "Address")
    typed = model.objects.select_for_update(no_key=True).filter(id=row_id).first()
    if typed is None or typed.value == value:
        return
    same = model.objects.filter(organization_id=typed.organization_id, channel=typed.channel, value=value)
    kept = same.select_for_update(no_key=True).first()
    if kept is None:
        was, typed.value = typed.value, value
        typed.save(update_fields=["value"])
        _record(apps, typed, f"was written “{was}”")
        return
    _merge(kept, typed)
    kept.save()
    apps.get_model("weddings", "AddressChange").objects.filter(address_id=typed.id).update(address_id=kept.id)
    known = apps.get_model("weddings", "AddressAlias").objects.filter(address_id=typed.id)
    there = apps.get_model("weddings", "AddressAlias").objects.filter(address_id=kept.id).values("alias")
    known.exclude(alias__in=there).update(address_id=kept.id)
    _record(apps, kept, f"was also written “{typed.value}”; the stricter of both counts")
    typed.delete()


def _merge(kept: Any, other: Any) -> None:
    """Facts against the address stay, whichever row has them; of facts for it the newest."""
    kept.opted_out_at = _of(max, kept.opted_out_at, other.opted_out_at)
    kept.complained_at = _of(min, kept.complained_at, other.complained_at)
    kept.window_closed_at = _of(max, kept.window_closed_at, other.window_closed_at)
    kept.last_inbound_at = _of(max, kept.last_inbound_at, other.last_inbound_at)
    if other.bounced_at and (kept.bounced_at is None or other.bounced_at < kept.bounced_at):
        kept.bounced_at, kept.bounce_reason = other.bounced_at, other.bounce_reason
    if other.consented_at and (kept.consented_at is None or other.consented_at > kept.consented_at):
        kept.consented_at, kept.consent_source = other.consented_at, other.consent_source


def _of(choose: Any, *moments: Any) -> Any:
    known = [moment for moment in moments if moment is not None]
    return choose(known) if known else None


def _record(apps: Any, address: Any, reason: str) -> None:
    apps.get_model("weddings", "AddressChange").objects.create(
        organization_id=address.organization_id,
        address_id=address.id,
        what="merged",
        by="an update of WedSync",
        reason=reason[:500],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("weddings", "0005_contact_fields")]
    operations = [
        migrations.RunPython(addresses, migrations.RunPython.noop),
        migrations.RunPython(contacts, migrations.RunPython.noop),
    ]
