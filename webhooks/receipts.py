"""Look-ups of stored receipts by their ids."""

from collections.abc import Iterable
from uuid import UUID

from webhooks.models import Receipt


def correlation_ids(receipt_ids: Iterable[UUID]) -> list[tuple[UUID, UUID | None]]:
    """Each receipt's id with the correlation id in its request's log lines, in the given order.

    ``None``: the receipt has none, or does not exist.
    """
    wanted = list(receipt_ids)
    known = dict(Receipt.objects.filter(id__in=wanted).values_list("id", "correlation_id"))
    return [(receipt_id, known.get(receipt_id)) for receipt_id in wanted]
