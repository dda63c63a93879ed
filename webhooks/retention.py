"""Deletes old rows, so that neither time nor strangers fill the disk."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations.models import Connection
from webhooks.models import DedupId, Receipt
from wedsync.database.pruning import BATCH, delete_in_steps

DEDUP_LIFE = timedelta(days=30)
UNSIGNED_LIFE = timedelta(days=7)
MOST_UNSIGNED = 1_000  # rejected receipts of a connection; a stranger can cause any number


def forget() -> int:
    """Delete expired rows in small batches; returns how many. Signed receipts stay."""
    gone = delete_in_steps(DedupId.objects.filter(received_at__lt=Now() - DEDUP_LIFE), along="received_at")
    for connection_id in Connection.objects.values_list("id", flat=True).iterator(BATCH):
        gone += delete_in_steps(_unwanted(connection_id), along="id")
    return gone


def _unwanted(connection_id: str) -> QuerySet[Receipt]:
    """A connection's rejected receipts without a valid signature: the old ones, and all but the newest thousand."""
    unsigned = Receipt.objects.filter(connection_id=connection_id, verdict=Receipt.Verdict.REJECTED, signed=False)
    too_many = unsigned.order_by("-id").values_list("id", flat=True)[MOST_UNSIGNED : MOST_UNSIGNED + 1].first()
    unwanted = Q(received_at__lt=Now() - UNSIGNED_LIFE)
    return unsigned.filter(unwanted | Q(id__lte=too_many) if too_many else unwanted)
