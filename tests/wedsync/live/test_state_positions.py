"""From where a client follows what it has loaded."""

from uuid import uuid4

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from tests.factories import OrganizationFactory, WeddingFactory
from tests.wedsync.live.test_log import new_event
from wedsync.database.snapshots import snapshot
from wedsync.live.log.reader import positions_of_state
from wedsync.live.log.writer import append
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

NAME, OTHER = "a:b:1", "a:b:2"


def last(wedding: Wedding, name: str = NAME) -> int:
    position = positions_of_state(wedding.organization_id, [name], [wedding.pk])[name]
    sequence: int = position["last"]
    return sequence


@pytest.mark.django_db
def test_an_event_that_may_still_change_the_wedding_lies_after_the_position() -> None:
    wedding = WeddingFactory()
    events = append([new_event(wedding, NAME), new_event(wedding, NAME, OTHER), new_event(wedding, NAME)])
    rows = ChannelEvent.objects.all()
    rows.filter(id=events[0].id).update(routing="routed", effect="none")
    assert (last(wedding), last(wedding, OTHER)) == (1, 0)

    rows.filter(id=events[2].id).update(routing="routed", effect="applied")
    assert last(wedding) == 1, "the second one still waits"

    rows.filter(id=events[1].id).update(effect="applied")
    assert (last(wedding), last(wedding, OTHER)) == (3, 1), "what was changed in the same commit is in the state"


@pytest.mark.django_db
def test_events_of_others_and_those_that_wait_for_a_person_do_not_hold_a_position_back() -> None:
    wedding, other = WeddingFactory(), WeddingFactory()
    append([new_event(other, NAME)])
    append([new_event(wedding, NAME)])
    ChannelEvent.objects.filter(wedding=wedding).update(routing="held")

    assert last(wedding) == 1


@pytest.mark.django_db
def test_a_channel_without_events_is_at_0_with_an_epoch() -> None:
    organization = OrganizationFactory()

    found = positions_of_state(organization.pk, [NAME], [uuid4()])

    assert found[NAME]["last"] == 0
    assert len(found[NAME]["epoch"]) == 36


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_sees_one_moment_and_writes_nothing() -> None:
    with snapshot(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        with pytest.raises(DatabaseError, match="read-only"):
            cursor.execute("DELETE FROM live_channel")
