"""Staff see who listens to their organization now, and end one of them; nobody else does."""

import re

import pytest
import requests
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from tests.factories import MembershipFactory
from tests.live.socket_client import ask, couple, refused_within, sign_in, socket
from tests.live.world import World, make_world
from tests.polling import until
from wedsync.live.close_codes import CloseCode
from wedsync.weddings.models import Membership


def staff(world: World, role: str = Membership.Role.OWNER) -> requests.Session:
    password = make_password("a long password", hasher="pbkdf2_sha256")
    user = User.objects.create(username=f"{role}-{world.organization.slug}", is_staff=True, password=password)
    MembershipFactory(organization=world.organization, user=user, role=role)
    return sign_in(world, user.username)


def listed(browser: requests.Session, world: World, **asked: str) -> str:
    return browser.get(f"{world.product.base_url}/listeners/", params=asked, timeout=15).text


def end(browser: requests.Session, world: World, listener: str, **asked: str) -> requests.Response:
    url = f"{world.product.base_url}/listeners/{listener}/end/"
    token = browser.cookies.get("csrftoken", "")
    headers = {"Referer": url}
    form = {"csrfmiddlewaretoken": token}
    return browser.post(url, params=asked, data=form, headers=headers, timeout=15, allow_redirects=False)


def listener_in(page: str) -> str:
    (found,) = re.findall(r"/listeners/([0-9a-f-]{36})/end/", page)
    return str(found)


def test_an_owner_sees_who_listens_and_ends_it(world: World) -> None:
    browser = staff(world)
    with socket(world) as client:
        ask(client, op="subscribe", channel=couple(world))

        page = listed(browser, world)

        assert couple(world) in page
        assert "127.0.0.1" in page
        assert couple(world) not in listed(browser, world, q="nobody is called that")
        assert end(browser, world, listener_in(page)).status_code == 302
        refused_within(client, CloseCode.RIGHT_WITHDRAWN)
    until(lambda: couple(world) not in listed(browser, world), what="the list being shorter")


@pytest.mark.parametrize("role", [Membership.Role.PLANNER, Membership.Role.SUPPORT])
def test_who_is_no_owner_sees_it_but_ends_nothing(world: World, role: str) -> None:
    owner, other = staff(world), staff(world, role)
    with socket(world) as client:
        ask(client, op="subscribe", channel=couple(world))
        listener = listener_in(listed(owner, world))

        assert couple(world) in listed(other, world)
        assert "/end/" not in listed(other, world)
        assert end(other, world, listener).status_code == 403
        assert ask(client, op="ping")["ok"]


def test_other_organizations_see_nothing_and_end_nothing(world: World) -> None:
    there = make_world(world.product)
    owner, stranger = staff(world), staff(there)
    with socket(world) as client:
        ask(client, op="subscribe", channel=couple(world))
        listener = listener_in(listed(owner, world))

        assert couple(world) not in listed(stranger, there)
        url = f"{world.product.base_url}/listeners/"
        asked = {"organization": world.organization.slug}
        assert stranger.get(url, params=asked, timeout=15).status_code == 404
        assert end(stranger, there, listener).status_code == 302
        assert end(stranger, there, listener, **asked).status_code == 404
        assert ask(client, op="ping")["ok"]
        assert listener in listed(owner, world)


def test_strangers_are_sent_to_the_sign_in(world: World) -> None:
    answer = requests.get(f"{world.product.base_url}/listeners/", timeout=15, allow_redirects=False)

    assert (answer.status_code, "login" in answer.headers["location"]) == (302, True)
