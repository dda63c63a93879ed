"""What is known of stored requests by their ids."""

from collections.abc import Iterable
from uuid import UUID

from webhooks.models import Receipt


def correlation_ids(receipt_ids: Iterable[UUID]) -> list[tuple[UUID, UUID | None]]:
    """Each receipt's id with the one that is in the log's lines of its request, in the order given.

    ``None``: it has none, or there is no such receipt.
    """
    wanted = list(receipt_ids)
    known = dict(Receipt.objects.filter(id__in=wanted).values_list("id", "correlation_id"))
    return [(receipt_id, known.get(receipt_id)) for receipt_id in wanted]
