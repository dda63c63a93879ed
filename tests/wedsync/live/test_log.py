"""Sequences without a gap, also between writers that run at once."""

from typing import Any

import pytest
from django.db import transaction

from tests.at_once import at_once
from tests.factories import OrganizationFactory, WeddingFactory
from wedsync.live.log.writer import NewEvent, append
from wedsync.live.models import Channel, ChannelEntry, ChannelEvent


def new_event(wedding: Any, *names: str) -> NewEvent:
    from django.utils import timezone

    return NewEvent(
        wedding.organization_id,
        wedding.id,
        "guest_count.changed",
        {"guest_count": 1},
        timezone.now(),
        ChannelEvent.Source.API,
        names,
    )


@pytest.mark.django_db(transaction=True)
def test_writers_that_run_at_once_leave_no_gap_and_no_deadlock() -> None:
    wedding = WeddingFactory()
    names = ["a:b:1", "a:b:2", "a:b:3"]

    def write(place: int) -> None:
        order = names[place:] + names[:place]
        for _ in range(15):
            with transaction.atomic():
                append([new_event(wedding, *order), new_event(wedding, order[0])])

    at_once(3, write)

    for name in names:
        channel = Channel.objects.get(organization=wedding.organization, name=name)
        sequences = list(
            ChannelEntry.objects.filter(channel=channel).order_by("sequence").values_list("sequence", flat=True)
        )
        assert sequences == list(range(1, 61))
        assert channel.last_sequence == 60


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_writer_gives_its_numbers_back() -> None:
    wedding = WeddingFactory()
    with pytest.raises(RuntimeError), transaction.atomic():
        append([new_event(wedding, "a:b:1")])
        raise RuntimeError

    with transaction.atomic():
        append([new_event(wedding, "a:b:1")])

    assert ChannelEntry.objects.get(channel__organization=wedding.organization).sequence == 1


@pytest.mark.django_db
def test_the_same_name_is_another_channel_in_another_organization() -> None:
    ours, theirs = WeddingFactory(), WeddingFactory(organization=OrganizationFactory())
    append([new_event(ours, "a:b:1"), new_event(theirs, "a:b:1")])

    assert list(ChannelEntry.objects.order_by("id").values_list("sequence", flat=True)) == [1, 1]
