"""The demo is seeded into a demo, and into nothing else."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.factories import OrganizationFactory
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
DEMO = "lakeside-weddings"


@pytest.fixture(autouse=True)
def _home(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    settings.WEDSYNC_HOME = tmp_path
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    settings.OUTBOUND_ALLOW = ("127.0.0.1/32:9",)  # as the runner does


def refused() -> str:
    with pytest.raises(CommandError) as raised:
        call_command("seed_demo")
    assert not Organization.objects.filter(slug=DEMO).exists()
    assert not User.objects.filter(username="admin").exists()
    return str(raised.value)


def test_an_empty_local_copy_becomes_the_demo_and_stays_one_beside_what_is_added() -> None:
    call_command("seed_demo")
    OrganizationFactory(slug="tried-out-by-hand")
    call_command("seed_demo")

    assert Organization.objects.filter(slug=DEMO).count() == 1


def test_a_database_that_serves_somebody_is_left_alone() -> None:
    OrganizationFactory(slug="real-people")

    assert "has organizations" in refused()


@pytest.mark.parametrize("url", ["https://wedsync.example", "http://10.0.0.7:8000", "http://127.0.0.1.example", ""])
def test_a_copy_that_others_reach_is_no_demo(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = url

    assert "WEDSYNC_PUBLIC_URL" in refused()


def test_a_copy_behind_tls_is_no_demo(settings: Settings) -> None:
    settings.SECURE = True

    assert "WEDSYNC_SECURE" in refused()
