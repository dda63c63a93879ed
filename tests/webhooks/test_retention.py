"""What the hourly pruning forgets, and what it keeps."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from tests.factories import ConnectionFactory, ReceiptFactory
from webhooks import retention
from webhooks.models import DedupId, Receipt
from webhooks.tasks import prune
from wedsync.database import pruning
from wedsync.ids import new_id

pytestmark = pytest.mark.django_db


def aged(row: Model, days: float) -> Any:
    type(row)._default_manager.filter(pk=row.pk).update(received_at=timezone.now() - timedelta(days=days))
    return row


def rejected(**rest: Any) -> Receipt:
    made: Receipt = ReceiptFactory(verdict="rejected", **rest)
    return made


def test_unsigned_rejected_receipts_are_kept_for_seven_days() -> None:
    gone, kept = aged(rejected(), 7.1), aged(rejected(), 6.9)

    prune()

    assert set(Receipt.objects.all()) == {kept}
    assert gone not in Receipt.objects.all()


def test_what_was_signed_or_accepted_is_kept() -> None:
    kept = {aged(rejected(signed=True), 90), aged(ReceiptFactory(verdict="unrecognised", signed=True), 90)}
    kept |= {aged(ReceiptFactory(), 90)}

    assert retention.forget() == 0

    assert set(Receipt.objects.all()) == kept


def test_of_each_connections_unsigned_ones_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_UNSIGNED", 3)
    monkeypatch.setattr(pruning, "BATCH", 2)
    attacked, quiet = ConnectionFactory(), ConnectionFactory()
    many = [rejected(connection=attacked, organization=attacked.organization) for _ in range(10)]
    others = {rejected(connection=quiet, organization=quiet.organization) for _ in range(3)}
    signed = {rejected(connection=attacked, organization=attacked.organization, signed=True)}

    assert retention.forget() == 7

    assert set(Receipt.objects.all()) == {*many[-3:], *others, *signed}


def test_dedup_ids_are_kept_for_thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    door = ConnectionFactory()
    for days, count in ((29.9, 1), (30.1, 5)):
        for number in range(count):
            made = DedupId.objects.create(
                connection=door,
                external_id=f"{days} {number}",
                receipt_id=new_id(),
                body_hash=b"0" * 32,
                received_at=timezone.now(),
            )
            aged(made, days)

    assert retention.forget() == 5

    assert DedupId.objects.get().external_id == "29.9 0"
