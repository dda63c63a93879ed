"""Who can sign in, and what stops those who guess."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests import factories
from tests.wedsync.admin.conftest import House, page
from wedsync.weddings.models import Membership, Organization

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
LOGIN = "/admin/login/"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def sign_in_at(address: str, username: str, password: str, **headers: str) -> Any:
    form = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post(LOGIN, form, headers=headers)


def is_let_in(answer: Any) -> bool:
    return answer.status_code == 302


@pytest.fixture
def anna() -> User:
    user: User = factories.MembershipFactory(user__username="anna").user
    return user


@pytest.fixture
def locked(anna: User) -> User:
    for _ in range(5):
        assert not is_let_in(sign_in_at(HERE, "anna", "wrong"))
    return anna


def test_a_colleague_signs_in(anna: User) -> None:
    assert is_let_in(sign_in_at(HERE, "anna", "secret"))


def test_after_five_failures_the_name_is_locked_at_this_address_and_a_person_is_told(locked: User) -> None:
    answer = sign_in_at(HERE, "anna", "secret")

    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    text = answer.content.decode()
    assert "Try again in 15 minutes" in text
    assert "anna" not in text
    assert "Content-Security-Policy" in answer


def test_the_name_alone_is_never_locked(locked: User) -> None:
    assert is_let_in(sign_in_at(ELSEWHERE, "anna", "secret"))


def test_another_name_at_the_address_is_not_locked(locked: User) -> None:
    factories.MembershipFactory(user__username="ben")

    assert is_let_in(sign_in_at(HERE, "ben", "secret"))


def test_the_lock_ends_after_a_quarter_of_an_hour(locked: User) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))

    assert is_let_in(sign_in_at(HERE, "anna", "secret"))


def test_failures_during_the_lock_do_not_make_it_longer(locked: User) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    before = AccessAttempt.objects.get().attempt_time

    assert sign_in_at(HERE, "anna", "wrong").status_code == 429

    assert AccessAttempt.objects.get().attempt_time == before


def test_signing_in_forgets_the_failures_of_before(anna: User) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in_at(HERE, "anna", "wrong")
        assert is_let_in(sign_in_at(HERE, "anna", "secret"))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP"])
def test_an_address_that_the_sender_claims_counts_for_nothing(anna: User, header: str) -> None:
    for number in range(5):
        sign_in_at(HERE, "anna", "wrong", **{header: f"192.0.2.{number}"})

    assert sign_in_at(HERE, "anna", "secret", **{header: "192.0.2.99"}).status_code == 429


def test_the_addresses_of_one_ipv6_network_are_one_sender(anna: User) -> None:
    for number in range(5):
        sign_in_at(f"2001:db8:0:1::{number}", "anna", "wrong")

    assert sign_in_at("2001:db8:0:1::ffff", "anna", "secret").status_code == 429
    assert is_let_in(sign_in_at("2001:db8:0:2::1", "anna", "secret"))


def test_no_password_is_stored(locked: User) -> None:
    sign_in_at(HERE, "anna", "a very secret guess")

    assert "guess" not in str(list(AccessAttempt.objects.values()))
    assert "wrong" not in str(list(AccessAttempt.objects.values("post_data", "get_data")))


@pytest.mark.parametrize("weak", ["short1", "password1234", "8402759103", "annabelle.winter"])
def test_a_weak_password_is_refused(sign_in: SignIn, weak: str) -> None:
    user = factories.UserFactory(username="annabelle.winter")

    answer = sign_in(operator=True).post(
        f"/admin/auth/user/{user.pk}/password/", {"usable_password": "true", "password1": weak, "password2": weak}
    )

    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.check_password("secret")


@pytest.mark.parametrize("door", ["membership", "organization"])
def test_a_colleague_who_gets_a_membership_can_sign_in(ours: House, sign_in: SignIn, door: str) -> None:
    colleague = factories.UserFactory(username="carla", is_staff=False)
    organization, client = ours.organization, sign_in(operator=True)
    assert not is_let_in(sign_in_at(HERE, "carla", "secret"))

    if door == "membership":
        body = {"organization": str(organization.pk), "user": str(colleague.pk), "role": "planner"}
        answer = client.post(page(Membership, "add"), body)
    else:
        answer = client.post(page(Organization, "change", organization.pk), with_member(organization, colleague))

    assert answer.status_code == 302, answer.content[-2000:]
    assert is_let_in(sign_in_at(HERE, "carla", "secret"))


def with_member(organization: Organization, user: User) -> dict[str, str]:
    members = list(organization.memberships.all())
    form = {"name": organization.name, "slug": organization.slug, "memberships-TOTAL_FORMS": str(len(members) + 1)}
    form["memberships-INITIAL_FORMS"] = str(len(members))
    for number, member in enumerate(members):
        form |= {
            f"memberships-{number}-id": str(member.pk),
            f"memberships-{number}-organization": str(organization.pk),
            f"memberships-{number}-user": str(member.user_id),
            f"memberships-{number}-role": member.role,
        }
    new = f"memberships-{len(members)}"
    return form | {
        f"{new}-id": "",
        f"{new}-organization": str(organization.pk),
        f"{new}-user": str(user.pk),
        f"{new}-role": "planner",
    }


def test_an_account_that_was_deactivated_stays_out(ours: House, sign_in: SignIn) -> None:
    gone = factories.UserFactory(username="dora", is_staff=False, is_active=False)
    body = {"organization": str(ours.organization.pk), "user": str(gone.pk), "role": "planner"}

    assert sign_in(operator=True).post(page(Membership, "add"), body).status_code == 302

    assert not is_let_in(sign_in_at(HERE, "dora", "secret"))
