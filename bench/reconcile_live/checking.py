"""Compares what clients got with the log. Reading is separate from judging."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bench.ground import Facts, Ground
from bench.reconcile_live.clients import Client, Followed
from bench.reconcile_live.pages import FIELDS, Page

Log = Mapping[str, Sequence[tuple[int, str]]]
"""Each channel's entries: sequences and ids of events."""


def read(ground: Ground, facts: Facts) -> Log:
    """The whole log of the organization."""
    rows = ground.execute(
        "SELECT channel.name, entry.sequence, entry.event_id::text FROM live_channel channel"
        " JOIN live_channelentry entry ON entry.channel_id = channel.id"
        f" WHERE channel.organization_id = '{facts.organization}' ORDER BY channel.name, entry.sequence"
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for name, sequence, event_id in rows:
        found.setdefault(name, []).append((sequence, event_id))
    return found


def faults_of(clients: Iterable[Client], log: Log) -> Counter[str]:
    """How often each rule is broken; empty if every client has exactly the log."""
    broken: Counter[str] = Counter()
    for client in clients:
        for name, followed in client.channels.items():
            broken.update(f"{client.kind}: {wrong}" for wrong in _wrong(followed, log.get(name, ())))
    return broken


def pages_off(pages: Iterable[Page], ground: Ground) -> Counter[str]:
    """How often a page that loaded and then followed differs from the database; empty if none does."""
    rows = ground.execute(
        "SELECT id::text, to_char(ceremony_time, 'HH24:MI'), to_char(reception_time, 'HH24:MI') FROM weddings_wedding"
    )
    stored = {wedding: dict(zip(FIELDS, values, strict=True)) for wedding, *values in rows}
    return Counter("page: it differs from the database" for page in pages if page.shown != stored[page.wedding])


def _wrong(followed: Followed, log: Sequence[tuple[int, str]]) -> Iterable[str]:
    if followed.unrecovered:
        yield "it was told that it cannot go on, though the log is whole"
    if followed.got == list(log):
        return
    sequences = [sequence for sequence, _ in followed.got]
    if len(set(sequences)) < len(sequences):
        yield "an event came twice"
    if sequences != sorted(sequences):
        yield "events came out of order"
    if set(log) - set(followed.got):
        yield "an event is missing"
    if set(followed.got) - set(log):
        yield "an event is not in the log"
