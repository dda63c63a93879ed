"""Epochs: a channel's epoch changes when its sequences may mean other events than before."""

from uuid import UUID, uuid4

from django.db import connection, transaction

from wedsync.live.models import EpochSeed

_NEW_EPOCHS = """
WITH locked AS (
    SELECT id FROM live_channel WHERE organization_id = %s ORDER BY name COLLATE "C" FOR UPDATE
)
UPDATE live_channel SET epoch = gen_random_uuid() FROM locked WHERE live_channel.id = locked.id
"""


def renew(organization_id: UUID) -> int:
    """Give all channels of an organization new epochs, also those without a row; returns how many have one.

    The positions of all clients are lost by that: a client that comes back learns it by ``recovered: false``. Counters
    are locked by name, as for writing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEW_EPOCHS, [str(organization_id)])
        count: int = cursor.rowcount
        EpochSeed.objects.update_or_create(organization_id=organization_id, defaults={"seed": uuid4()})
        return count
