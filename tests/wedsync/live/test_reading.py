"""Reading the log by a channel's name, whether anybody has written to it or not."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import OrganizationFactory, WeddingFactory
from tests.wedsync.live.test_log import new_event
from wedsync.live.log.reader import ChannelKey, Entry, Position, entries_after, last_sequences, positions
from wedsync.live.log.writer import append
from wedsync.live.models import Channel

pytestmark = pytest.mark.django_db
NAME = "a:b:1"


def position(place: ChannelKey) -> Position:
    return positions([place])[place]


def after(place: ChannelKey, sequence: int, most: int) -> list[Entry]:
    return entries_after({place: sequence}, most).get(place, [])


def test_a_channel_that_nobody_wrote_to_starts_at_0_and_gets_no_row() -> None:
    place = ChannelKey(OrganizationFactory().id, NAME)

    found = [position(place), position(place)]

    assert found[0] == found[1]
    assert found[0].last == 0
    assert last_sequences([place]) == {}
    assert entries_after({place: 0}, 10) == {}
    assert not Channel.objects.exists()


def test_an_epoch_that_was_told_before_the_first_event_stays_good() -> None:
    wedding = WeddingFactory()
    place = ChannelKey(wedding.organization_id, NAME)
    told = position(place).epochs[0]

    append([new_event(wedding, NAME)])

    assert told in position(place).epochs
    assert position(place).epochs[0] == str(Channel.objects.get().epoch) != told


def test_epochs_differ_by_organization_and_by_name() -> None:
    ours, theirs = OrganizationFactory(), OrganizationFactory()
    places = [ChannelKey(ours.id, NAME), ChannelKey(ours.id, "a:b:2"), ChannelKey(theirs.id, NAME)]

    assert len({position(place).epochs[0] for place in places}) == 3


def test_nothing_of_another_organization_is_read_under_the_same_name() -> None:
    ours, theirs = WeddingFactory(), WeddingFactory(organization=OrganizationFactory())
    append([new_event(theirs, NAME), new_event(theirs, NAME), new_event(ours, NAME)])
    place = ChannelKey(ours.organization_id, NAME)

    assert last_sequences([place]) == {place: 1}
    assert [entry.sequence for entry in after(place, 0, 10)] == [1]


def test_the_entries_behind_a_cursor_are_found_by_an_index_in_order() -> None:
    """The channel is looked up first, as a constant, so that PostgreSQL never sorts a whole channel."""
    with CaptureQueriesContext(connection) as queries:
        after(ChannelKey(OrganizationFactory.build().id, NAME), 0, 100)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {queries[-1]['sql']}")
        plan = json.dumps(cursor.fetchone()[0])

    assert "entry_sequence_once" in plan
    assert '"Sort"' not in plan
