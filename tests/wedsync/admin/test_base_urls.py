"""Staff hear at once of a base URL that no delivery could reach."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from integrations.credentials.checks import problems
from integrations.models import System
from tests import factories
from tests.wedsync.admin.conftest import House

SignIn = Callable[..., Client]


@pytest.fixture
def system(ours: House) -> System:
    return factories.SystemFactory(organization=ours.organization, name="Venue", base_url="https://venue.example")


def save(client: Client, system: System, **values: str) -> str:
    """Save the form; gives the page that says what is wrong, or an empty text once it is saved."""
    filled = {"name": system.name, "base_url": system.base_url, "kind": system.kind, **values}
    answer = client.post(f"/admin/integrations/system/{system.pk}/change/", filled)
    return answer.content.decode() if answer.status_code == 200 else ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://169.254.169.254/latest", "private address"),
        ("http://venue.example", "Plain http"),
        ("https://me:pass@venue.example", "user name"),
        ("https://venue.example/?key=1", "not contain a query"),
        ("https://venue.example/in?", "not contain a query"),
        ("https://venue", "A host without a dot"),
        ("http://venue:8443", "Plain http"),
        ("venue", "A host without a dot"),
    ],
)
def test_a_bad_base_url_is_refused_at_its_field(
    ours: House, sign_in: SignIn, system: System, url: str, words: str
) -> None:
    assert words in save(sign_in(ours), system, base_url=url)
    system.refresh_from_db()
    assert system.base_url == "https://venue.example"


def test_what_the_operator_lists_may_be_saved(ours: House, sign_in: SignIn, system: System, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ("10.0.0.0/8:8443",)
    for url in ("http://10.1.2.3:8443", "http://venue:8443", "https://venue:8443/hooks"):
        assert save(sign_in(ours), system, base_url=url) == ""
        system.refresh_from_db()
        assert system.base_url == url
        assert not list(problems(system)), "the health round says the same"


MAIL = {"provider": "smtp", "from": "hello@lakeside.example"}


@pytest.mark.parametrize(
    ("server", "listed", "passes"),
    [
        ({"host": "smtp.lakeside.example"}, "", True),
        ({"host": "smtp.lakeside.example", "port": "2525"}, "", True),
        ({"host": "smtp.lakeside.example", "tls": "none"}, "", False),
        ({"host": "mail"}, "", False),
        ({"host": "localhost"}, "", False),
        ({"host": "127.0.0.1"}, "", False),
        ({"host": "fd00::7"}, "", False),
        ({"host": "smtp..example"}, "", False),
        ({"host": "mail"}, "10.0.0.0/8:587", True),
        ({"host": "mail", "tls": "implicit"}, "10.0.0.0/8:587", False),
        ({"host": "mail", "tls": "implicit"}, "10.0.0.0/8:465", True),
        ({"host": "mail", "tls": "none"}, "10.0.0.0/8:25", True),
        ({"host": "mail", "tls": "none"}, "10.0.0.0/8:587", False),
        ({"host": "10.1.2.3", "port": "25", "tls": "none"}, "10.0.0.0/8:25", True),
    ],
)
def test_a_mail_server_follows_the_rule_for_base_urls_at_every_door(
    ours: House, sign_in: SignIn, settings: Settings, server: dict[str, str], listed: str, passes: bool
) -> None:
    settings.OUTBOUND_ALLOW = (listed,) if listed else ()
    mail = factories.SystemFactory(organization=ours.organization, kind="email", base_url="https://api.resend.com")
    filled = {f"credential_{name}": value for name, value in (MAIL | server).items()}

    refused = save(sign_in(ours), mail, **filled)

    assert (refused == "") == passes
    mail.seal_credentials(MAIL | server)
    assert (list(problems(mail)) == []) == passes


def test_another_change_is_not_held_up_by_a_url_saved_before(ours: House, sign_in: SignIn, system: System) -> None:
    System.objects.filter(pk=system.pk).update(base_url="http://127.0.0.1:8100")
    system.refresh_from_db()
    assert save(sign_in(ours), system, name="Another name") == ""


SECRET = {"access_token": "entered-for-venue.example"}
ELSEWHERE = [
    "https://evil.example",
    "https://venue.example:8443",
    "https://api.venue.example",
    "http://venue.example:8443",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_base_url_of_another_origin_needs_the_secrets_anew(
    ours: House, sign_in: SignIn, url: str, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ("10.0.0.0/8:8443",)
    system = factories.SystemFactory(organization=ours.organization, credentials=SECRET)
    client = sign_in(ours)

    refused = save(client, system, base_url=url)
    kept = System.objects.get(pk=system.pk)
    taken = save(client, system, base_url=url, credential_access_token="entered-for-the-new-one")

    assert "Enter these again, or - to remove them" in refused
    assert "Access token" in refused
    assert (kept.base_url, kept.credentials) == (system.base_url, SECRET)
    assert taken == ""
    system.refresh_from_db()
    assert (system.base_url, system.credentials) == (url, {"access_token": "entered-for-the-new-one"})


@pytest.mark.parametrize("url", ["https://venue.example/v2", "https://VENUE.example", "https://venue.example:443/x"])
def test_another_path_of_the_same_origin_keeps_the_secrets(ours: House, sign_in: SignIn, url: str) -> None:
    system = factories.SystemFactory(organization=ours.organization, credentials=SECRET)

    assert save(sign_in(ours), system, base_url=url) == ""
    assert System.objects.get(pk=system.pk).credentials == SECRET


def test_a_secret_may_be_taken_away_instead(ours: House, sign_in: SignIn) -> None:
    system = factories.SystemFactory(organization=ours.organization, credentials=SECRET)

    assert save(sign_in(ours), system, base_url="https://evil.example", credential_access_token="-") == ""
    assert System.objects.get(pk=system.pk).credentials == {}


@pytest.mark.parametrize("change", [{"credential_host": "smtp.evil.example"}, {"credential_port": "2525"}])
def test_another_mail_server_needs_the_password_anew(ours: House, sign_in: SignIn, change: dict[str, str]) -> None:
    stored = {"provider": "smtp", "host": "smtp.lakeside.example", "username": "me", "password": "hush-hush"}
    system = factories.SystemFactory(organization=ours.organization, kind="email", credentials=stored)
    client = sign_in(ours)

    assert "Enter these again" in save(client, system, **change)
    assert System.objects.get(pk=system.pk).credentials == stored
    assert save(client, system, credential_password="for-the-new-one", **change) == ""
