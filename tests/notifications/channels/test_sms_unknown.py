"""A text message whose answer was lost: Twilio knows no key, but its signed statuses carry ours."""

from __future__ import annotations

import pytest

from integrations.models import Delivery, System
from tests.factories import ConnectionFactory, NoticeFactory
from tests.notifications.channels.texting import due_again, lose_the_answer
from tests.sandbox.sandbox_peer import Peer
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)


def test_after_an_unknown_outcome_a_status_with_our_key_says_that_it_was_taken(
    texted: Wedding, sms: System, outside: Peer
) -> None:
    door = ConnectionFactory(organization=sms.organization, system=sms)
    row = lose_the_answer(texted, outside)
    assert (row.state, row.state_reason, row.may_duplicate) == ("held", "awaits_status", True)
    (message,) = outside.messages("twilio")
    NoticeFactory(
        organization=sms.organization,
        connection=door,
        provider_id=message["provider_id"],
        data={"MessageSid": message["provider_id"], "biz_opaque_callback_data": str(row.id)},
    )

    due_again(row)

    row = Delivery.objects.get(id=row.id)
    assert (row.state, row.may_duplicate) == ("succeeded", False)
    assert row.message.provider_id == message["provider_id"]
    assert len(outside.messages("twilio")) == 1


def test_after_an_unknown_outcome_without_a_status_it_is_sent_once_more_and_marked(
    texted: Wedding, sms: System, outside: Peer
) -> None:
    ConnectionFactory(organization=sms.organization, system=sms)
    row = lose_the_answer(texted, outside)

    due_again(row)

    row = Delivery.objects.get(id=row.id)
    assert (row.state, row.may_duplicate) == ("succeeded", True)
    first, again = outside.messages("twilio")
    assert first["body"] == again["body"]


def test_without_a_connection_no_status_is_waited_for(texted: Wedding, outside: Peer) -> None:
    row = lose_the_answer(texted, outside)

    assert row.state == "scheduled"
    assert row.may_duplicate
