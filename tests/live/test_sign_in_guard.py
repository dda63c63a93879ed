"""The sign-in guard behind a proxy, at a real web process."""

from __future__ import annotations

import pytest
import requests
from django.contrib.auth.hashers import make_password

from tests.factories import MembershipFactory
from tests.live.webs import another_web
from tests.live.world import World

PASSWORD = "a long password"


@pytest.fixture
def username(world: World) -> str:
    user = MembershipFactory(organization=world.organization).user
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()
    name: str = user.username
    return name


def answer_to(port: int, username: str, password: str, client: str) -> int:
    """The status with which a sign-in is answered that a proxy passes on for ``client``."""
    browser = requests.Session()
    browser.headers["X-Forwarded-For"] = client
    url = f"http://127.0.0.1:{port}/admin/login/"
    page = browser.get(url, timeout=10)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"username": username, "password": password, "csrfmiddlewaretoken": token}
    return browser.post(url, data=form, headers={"Referer": url}, timeout=10, allow_redirects=False).status_code


@pytest.mark.parametrize(("trusted", "elsewhere"), [("127.0.0.0/8", 302), ("192.0.2.0/24", 429)])
def test_the_address_is_what_a_trusted_proxy_says_and_no_other(
    world: World, username: str, trusted: str, elsewhere: int
) -> None:
    with another_web(world.product, WEDSYNC_TRUSTED_PROXIES=trusted) as web:
        for _ in range(5):
            answer_to(web.port, username, "wrong", "203.0.113.7")

        assert answer_to(web.port, username, PASSWORD, "203.0.113.7") == 429
        assert answer_to(web.port, username, PASSWORD, "203.0.113.8") == elsewhere
