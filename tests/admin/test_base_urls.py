"""Staff hear at once of a base URL that no delivery could reach."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from integrations.models import System
from tests import factories
from tests.admin.conftest import House

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
    assert save(sign_in(ours), system, base_url="http://10.1.2.3:8443") == ""
    system.refresh_from_db()
    assert system.base_url == "http://10.1.2.3:8443"


def test_another_change_is_not_held_up_by_a_url_saved_before(ours: House, sign_in: SignIn, system: System) -> None:
    System.objects.filter(pk=system.pk).update(base_url="http://127.0.0.1:8100")
    system.refresh_from_db()
    assert save(sign_in(ours), system, name="Another name") == ""
