"""Fills tables by copying rows of real requests until there are a million of each kind.

Copies of rows that the receiver wrote have all of its columns, whatever columns are added later.
"""

from bench.errors import BenchError
from bench.ground import Ground

_ACCEPTED = "SELECT count(*) FROM webhooks_receipt WHERE verdict = 'accepted'"
_COPIES = """
CREATE TABLE bench_copy AS
SELECT original.id AS original, uuidv7(interval '-10 days' + number * interval '1 millisecond') AS id,
       'vm_' || md5(original.id::text || number::text) AS external_id
FROM webhooks_receipt original CROSS JOIN generate_series(1, %d) number WHERE verdict = 'accepted'
"""
_ROWS = (
    (
        "webhooks_receipt",
        {"id": "copy.id", "event_id": "copy.id", "external_id": "copy.external_id"},
        "JOIN bench_copy copy ON copy.original = original.id",
    ),
    (
        "webhooks_dedupid",
        {"receipt_id": "copy.id", "external_id": "copy.external_id"},
        "JOIN bench_copy copy ON copy.original = original.receipt_id",
    ),
    (
        "live_channelevent",
        {"id": "copy.id", "routing": "'routed'", "routed_at": "now()"},
        "JOIN bench_copy copy ON copy.original = original.id",
    ),
    (
        "live_channelentry",
        {
            "event_id": "copy.id",
            "sequence": "channel.last_sequence + row_number() OVER (PARTITION BY original.channel_id ORDER BY copy.id)",
        },
        (
            "JOIN bench_copy copy ON copy.original = original.event_id "
            "JOIN live_channel channel ON channel.id = original.channel_id"
        ),
    ),
)
_COUNTERS = """
UPDATE live_channel SET last_sequence = filled.last
FROM (SELECT channel_id, max(sequence) AS last FROM live_channelentry GROUP BY channel_id) filled
WHERE filled.channel_id = live_channel.id
"""


def fill(ground: Ground, database: str, rows: int) -> int:
    """Copy accepted requests until there are at least ``rows`` of them; returns how many there are.

    Raises:
        BenchError: no request is stored yet.
    """
    originals = ground.number(_ACCEPTED, database)
    if not originals:
        raise BenchError("There is no stored request to copy.")
    statements = [
        "SET session_replication_role = replica",  # the copies have the originals' foreign keys, so skip the checks
        "SET synchronous_commit = off",
        "SET work_mem = '256MB'",
        _COPIES % -(-rows // originals),
        "ANALYZE bench_copy",
    ]
    for table, changed, joins in _ROWS:
        columns = [str(row[0]) for row in ground.execute(_columns(table), database=database)]
        values = ", ".join(changed.get(column, f"original.{column}") for column in columns)
        statements.append(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} original {joins} ORDER BY copy.id"
        )
    ground.execute(*statements, _COUNTERS, "DROP TABLE bench_copy", "VACUUM ANALYZE", database=database)
    return ground.number(_ACCEPTED, database)


def _columns(table: str) -> str:
    """All columns except identity columns."""
    return f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_identity = 'NO'"
