"""Whom an alert reaches, and on which ways."""

import pytest

from integrations.models import Delivery, System
from integrations.routing import route_event
from tests.factories import MembershipFactory, SystemFactory
from tests.integrations.health.alerting import raised, staff_route, told
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Membership

pytestmark = pytest.mark.django_db


def deliveries_of(event: ChannelEvent) -> set[tuple[str, str]]:
    route_event.route(event.id)
    return set(Delivery.objects.filter(event=event).values_list("channel", "target"))


def test_an_alert_goes_to_the_team_on_slack_and_to_owners_and_support_by_mail() -> None:
    route = staff_route()
    mine = {"organization": route.organization}
    SystemFactory(**mine, kind=System.Kind.EMAIL)
    for role in Membership.Role:
        MembershipFactory(**mine, role=role, user__email=f"{role.title()}@staff.example")
    MembershipFactory(role=Membership.Role.OWNER, user__email="other@staff.example")
    MembershipFactory(**mine, user__email="")
    ill = SystemFactory(**mine)

    raised(ill)

    assert deliveries_of(told()[0]) == {
        ("slack", str(route.system_id)),
        ("email", "owner@staff.example"),
        ("email", "support@staff.example"),
    }


@pytest.mark.parametrize("kind", [System.Kind.SLACK, System.Kind.EMAIL])
def test_an_alert_takes_every_way_but_the_one_that_fails(kind: System.Kind) -> None:
    route = staff_route()
    mine = {"organization": route.organization}
    mail = SystemFactory(**mine, kind=System.Kind.EMAIL)
    MembershipFactory(**mine, user__email="owner@staff.example")
    assert route.system

    raised(route.system if kind == System.Kind.SLACK else mail)

    left = {"slack": ("slack", str(route.system_id)), "email": ("email", "owner@staff.example")}
    del left[kind.value]
    assert deliveries_of(told()[0]) == set(left.values())


def test_where_one_mail_system_fails_another_takes_the_alert() -> None:
    route = staff_route()
    mine = {"organization": route.organization}
    healthy = SystemFactory(**mine, kind=System.Kind.EMAIL)
    ill = SystemFactory(**mine, kind=System.Kind.EMAIL)
    MembershipFactory(**mine, user__email="owner@staff.example")

    raised(ill)
    route_event.route(told()[0].id)

    assert Delivery.objects.get(channel="email").system == healthy


def test_a_route_of_another_organization_gets_nothing() -> None:
    theirs = staff_route()
    system = SystemFactory()

    raised(system)

    assert deliveries_of(told()[0]) == set()
    assert not Delivery.objects.filter(organization=theirs.organization).exists()


def test_a_route_to_staff_needs_no_roles_of_a_wedding() -> None:
    staff_route(system=None).clean()
