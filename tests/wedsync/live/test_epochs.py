"""New epochs after a restore: whoever was a client before it learns that its position is lost."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import OrganizationFactory, WeddingFactory
from tests.wedsync.live.test_log import new_event
from wedsync.live.log.reader import ChannelKey, positions
from wedsync.live.log.resumption import Start, resume
from wedsync.live.log.writer import append
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db
NAME = "a:b:1"


def recovered(key: ChannelKey, after: int, epoch: str) -> bool | None:
    return resume(Start(after, epoch), positions([key])[key]).recovered


def told(wedding: Wedding, name: str = NAME) -> tuple[ChannelKey, str]:
    key = ChannelKey(wedding.organization_id, name)
    return key, positions([key])[key].epochs[0]


def test_a_client_from_before_the_restore_is_told_that_its_position_is_lost() -> None:
    wedding = WeddingFactory()
    append([new_event(wedding, NAME)])
    key, epoch = told(wedding)
    assert recovered(key, 1, epoch)

    call_command("new_epochs", stdout=StringIO())

    assert recovered(key, 1, epoch) is False
    assert recovered(key, 1, told(wedding)[1]) is True


def test_an_epoch_that_was_told_before_the_first_event_is_lost_too() -> None:
    wedding = WeddingFactory()
    key, epoch = told(wedding)
    append([new_event(wedding, NAME)])
    assert recovered(key, 1, epoch)

    call_command("new_epochs", stdout=StringIO())

    assert recovered(key, 1, epoch) is False
    unwritten, new = told(wedding, "a:b:2")
    assert recovered(unwritten, 0, new) is True


def test_one_organization_is_chosen_by_its_slug() -> None:
    ours, theirs = WeddingFactory(), WeddingFactory(organization=OrganizationFactory())
    append([new_event(ours, NAME), new_event(theirs, NAME)])
    before = told(ours)[1], told(theirs)[1]
    output = StringIO()

    call_command("new_epochs", "--organization", ours.organization.slug, stdout=output)

    assert told(ours)[1] != before[0]
    assert told(theirs)[1] == before[1]
    assert output.getvalue() == f"{ours.organization.slug}: new epochs for 1 channels, and for those without events\n"
    with pytest.raises(CommandError, match="no-such"):
        call_command("new_epochs", "--organization", "no-such")
