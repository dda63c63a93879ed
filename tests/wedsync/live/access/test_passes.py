"""What a ticket, a key, a link and a session allow, and on which channels."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.factories import MembershipFactory, WeddingFactory
from tests.wedsync.live.access.ways_in import let_in, of_link, of_ticket, own
from wedsync.live.access import passes, tickets
from wedsync.live.access.passes import Right
from wedsync.live.models import Ticket
from wedsync.weddings.models import ApiKey, Contact, PersonalLink

pytestmark = pytest.mark.django_db
EVERY_RIGHT = frozenset(Right)


def test_a_ticket_of_a_key_covers_everything_that_its_key_does(key: ApiKey) -> None:
    pass_ = let_in(of_ticket(key))

    assert pass_.covers(f"couple:dashboard:{uuid4()}")
    assert pass_.covers(f"ops:health:{key.organization_id}")
    assert pass_.may_do == EVERY_RIGHT
    assert (pass_.person.kind, pass_.person.name) == ("key", "tests")


def test_a_ticket_is_narrowed_by_its_own_patterns_and_by_those_of_its_key(key: ApiKey) -> None:
    key.channels = ["couple:*:*"]
    key.save()

    pass_ = let_in(of_ticket(key, channels=["*:dashboard:*"]))

    assert pass_.covers("couple:dashboard:1")
    assert not pass_.covers("supplier:dashboard:1")
    assert not pass_.covers("couple:photos:1")


def test_channels_of_operations_need_the_scope_of_health(key: ApiKey) -> None:
    key.scopes = ["live:read"]
    key.save()

    pass_ = let_in(of_ticket(key, channels=["*:*:*"]))

    assert pass_.covers("couple:dashboard:1")
    assert not pass_.covers("ops:health:1")


@pytest.mark.parametrize(
    ("scopes", "may_do"),
    [
        (["live:read"], {Right.READ}),
        (["live:read", "live:publish"], {Right.READ, Right.PUBLISH}),
        (["live:read", "live:presence", "live:seen"], {Right.READ, Right.PRESENCE, Right.SEEN}),
    ],
)
def test_each_scope_is_a_right_of_its_own(key: ApiKey, scopes: list[str], may_do: set[Right]) -> None:
    key.scopes = scopes
    key.save()

    assert let_in(of_ticket(key)).may_do == may_do


def test_a_key_without_the_scope_to_read_lets_nobody_in(key: ApiKey) -> None:
    key.scopes = ["live:publish"]
    key.save()

    with pytest.raises(tickets.MayNotFollow):
        of_ticket(key)


def test_a_couple_is_let_in_to_its_own_wedding_alone(key: ApiKey, anna: Contact) -> None:
    pass_ = let_in(of_ticket(key, contact=anna))

    assert pass_.covers(own(anna))
    assert pass_.covers(f"couple:photos:{anna.wedding_id}")
    assert not pass_.covers(f"couple:dashboard:{WeddingFactory(organization=anna.organization).id}")
    assert not pass_.covers(f"urgent:wedding-day:{anna.organization_id}")
    assert not pass_.covers(f"ops:health:{anna.organization_id}")
    assert pass_.may_do == {Right.READ, Right.PRESENCE, Right.SEEN}
    assert (pass_.person.kind, pass_.person.id, pass_.person.name) == ("contact", anna.id, "Anna")


def test_a_supplier_is_let_in_to_the_named_dashboard_alone(key: ApiKey, supplier: Contact) -> None:
    dashboard = f"supplier:dashboard:{uuid4()}"
    asked = [dashboard, own(supplier), "supplier:dashboard:*", "couple:*:*"]

    pass_ = let_in(of_ticket(key, contact=supplier, channels=asked))

    assert pass_.covers(dashboard)
    assert not pass_.covers(f"supplier:dashboard:{uuid4()}")
    assert not pass_.covers(own(supplier))


def test_a_supplier_without_named_channels_sees_none(key: ApiKey, supplier: Contact) -> None:
    pass_ = let_in(of_ticket(key, contact=supplier))

    assert not pass_.covers(f"supplier:dashboard:{uuid4()}")
    assert not pass_.covers(own(supplier))


def test_a_contact_may_never_do_more_than_the_key_that_names_it(key: ApiKey, anna: Contact) -> None:
    key.scopes, key.channels = ["live:read"], ["supplier:*:*"]
    key.save()

    pass_ = let_in(of_ticket(key, contact=anna))

    assert pass_.may_do == {Right.READ}
    assert not pass_.covers(own(anna))


@pytest.mark.parametrize(("role", "publishes"), [("planner", True), ("support", False), ("owner", True)])
def test_staff_publish_by_their_role(key: ApiKey, role: str, publishes: bool) -> None:
    member = MembershipFactory(organization=key.organization, role=role, user__first_name="Clara")

    pass_ = let_in(of_ticket(key, membership=member))

    assert pass_.may(Right.PUBLISH) is publishes
    assert not pass_.may(Right.SEEN)
    assert pass_.is_staff
    assert (pass_.person.kind, pass_.person.name) == ("user", "Clara")


def test_the_page_of_a_link_covers_the_wedding_of_its_contact(link: PersonalLink, anna: Contact) -> None:
    pass_ = let_in(of_link(link))

    assert pass_.covers(own(anna))
    assert not pass_.covers(f"couple:dashboard:{uuid4()}")
    assert pass_.may_do == {Right.READ, Right.PRESENCE, Right.SEEN}
    assert pass_.bearer.parts == [(str(anna.id), ""), (str(link.id), "")]


@pytest.mark.parametrize("change", ["used", "expired", "stretched", "cut", "another's"])
def test_a_ticket_that_is_not_as_it_was_issued_lets_nobody_in(key: ApiKey, change: str) -> None:
    text, _ = tickets.issue(key.organization_id, api_key_id=key.id)
    match change:
        case "used":
            assert tickets.redeem(text)
        case "expired":
            Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "stretched":
            text = f"{text}A"
        case "cut":
            text = text[:-1]
        case "another's":
            text = f"{text[:20]}{'a' if text[20] != 'a' else 'b'}{text[21:]}"

    assert tickets.redeem(text) is None
    assert tickets.of_bearer(text) is None


def test_a_ticket_and_a_key_stand_as_bearer(key: ApiKey) -> None:
    text, _ = tickets.issue(key.organization_id, api_key_id=key.id, channels=["couple:*:*"])

    by_ticket, by_key = let_in(tickets.of_bearer(text)), let_in(tickets.of_bearer("wsk_clear"))

    assert not by_ticket.covers("supplier:dashboard:1")
    assert by_key.covers("supplier:dashboard:1")
    assert tickets.of_bearer(text) is None
    ApiKey.objects.update(expires_at=timezone.now())
    assert tickets.of_bearer("wsk_clear") is None


def test_a_session_is_that_of_the_organization_that_it_names() -> None:
    member = MembershipFactory(role="support")
    other = MembershipFactory(user=member.user, role="owner")

    first = let_in(passes.of_session(member.user.pk, "", "session", member.user.password))
    second = let_in(passes.of_session(member.user.pk, other.organization.slug, "session", member.user.password))

    assert (first.organization_id, second.organization_id) == (member.organization_id, other.organization_id)
    assert first.covers(f"ops:health:{member.organization_id}")
    assert (first.may(Right.PUBLISH), second.may(Right.PUBLISH)) == (False, True)
    assert passes.of_session(member.user.pk, "nobody's", "session", member.user.password) is None
