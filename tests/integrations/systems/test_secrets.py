"""A connection's secrets change without a gap, and the key that encrypts them can be changed too."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Connection, ConnectionSecret, System
from integrations.systems import connection_secrets
from integrations.vendors import VENDORS
from tests.at_once import at_once
from tests.factories import ConnectionFactory, ConnectionSecretFactory, SystemFactory
from wedsync import vault
from wedsync.env import ConfigurationError
from wedsync.runner.home import fernet_key

Purpose = ConnectionSecret.Purpose
pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def live(door: Connection, purpose: Purpose = Purpose.SIGNING) -> list[str]:
    rows = ConnectionSecret.objects.filter(connection_secrets.live_secret(), connection=door, purpose=purpose)
    return [vault.decrypt(row.sealed) for row in rows.order_by("-created_at", "-id")]


@pytest.fixture
def door() -> Connection:
    return ConnectionFactory(secret="first")


def test_the_older_secret_counts_beside_the_new_one_until_it_ends(door: Connection) -> None:
    second = connection_secrets.new_secret(door, overlap=HOUR)

    assert live(door) == [second, "first"]
    older = door.secrets.get(expires_at__isnull=False)
    assert vault.decrypt(older.sealed) == "first"
    within_the_hour = Q(expires_at__gt=Now() + timedelta(minutes=59), expires_at__lte=Now() + HOUR)
    assert door.secrets.filter(within_the_hour).count() == 1


def test_without_an_overlap_only_the_new_one_counts_at_once(door: Connection) -> None:
    second = connection_secrets.new_secret(door, overlap=timedelta())

    assert live(door) == [second]


def test_the_older_ones_may_stay_until_staff_end_them(door: Connection) -> None:
    second = connection_secrets.new_secret(door, overlap=None)
    assert live(door) == [second, "first"]

    assert connection_secrets.end_older_secrets(door) == 1
    assert live(door) == [second]
    assert connection_secrets.end_older_secrets(door) == 0


def test_an_end_that_comes_sooner_is_not_put_off(door: Connection) -> None:
    door.secrets.update(expires_at=Now() + timedelta(minutes=1))

    connection_secrets.new_secret(door, overlap=timedelta(days=7))

    assert door.secrets.filter(expires_at__lt=Now() + timedelta(minutes=2)).count() == 1


def test_a_secret_of_another_purpose_or_connection_stays(door: Connection) -> None:
    token = connection_secrets.new_secret(door, overlap=timedelta(), purpose=Purpose.HANDSHAKE)
    other = ConnectionFactory(organization=door.organization, system=door.system, secret="of another door")

    connection_secrets.new_secret(door, overlap=timedelta())
    connection_secrets.end_older_secrets(door)

    assert live(door, Purpose.HANDSHAKE) == [token]
    assert live(other) == ["of another door"]


@pytest.mark.parametrize("kind", VENDORS)
def test_a_vendors_secret_fits_its_own_scheme(kind: str) -> None:
    scheme = VENDORS[kind].signature
    door = ConnectionFactory(system__kind=kind)

    text = connection_secrets.new_secret(door, overlap=None)

    scheme.check_secret(text)
    signed = {name.lower(): [value] for name, value in scheme.sign(b"{}", text, 1_780_000_000).items()}
    assert scheme.verify(signed, b"{}", live(door), 1_780_000_000) == 0


def test_a_secret_made_elsewhere_is_stored_encrypted(door: Connection) -> None:
    connection_secrets.add_secret(door, "the provider's own", overlap=timedelta())

    assert live(door) == ["the provider's own"]
    assert not ConnectionSecret.objects.filter(sealed__contains="provider").exists()


@pytest.mark.django_db(transaction=True)
def test_of_secrets_made_at_once_only_the_newest_stays_for_good() -> None:
    door = ConnectionFactory(secret="first")

    at_once(4, lambda _: connection_secrets.new_secret(door, overlap=HOUR))

    assert len(live(door)) == 5
    newest = door.secrets.order_by("-created_at", "-id").first()
    assert list(door.secrets.filter(expires_at=None)) == [newest]


@pytest.fixture
def sealed(door: Connection) -> tuple[System, ConnectionSecret]:
    """One row of each kind, under the present key."""
    system = SystemFactory(credentials={"access_token": "a-token"})
    return system, door.secrets.get()


def reencrypt() -> tuple[int, str]:
    told = StringIO()
    try:
        call_command("reencrypt_secrets", stdout=told, stderr=told)
    except SystemExit as end:
        return int(str(end.code)), told.getvalue()
    return 0, told.getvalue()


def test_everything_is_brought_under_the_newest_key_and_the_older_can_go(
    sealed: tuple[System, ConnectionSecret], settings: Any
) -> None:
    older, newest = settings.SECRET_KEYS[0], fernet_key()
    settings.SECRET_KEYS = (newest, older)
    before = {secret.pk: secret.sealed for secret in ConnectionSecret.objects.all()}

    code, told = reencrypt()

    assert code == 0
    assert "1 older key(s) can be removed" in told
    settings.SECRET_KEYS = (newest,)
    system, secret = sealed
    system.refresh_from_db()
    secret.refresh_from_db()
    assert system.credentials == {"access_token": "a-token"}
    assert vault.decrypt(secret.sealed) == "first"
    assert not ConnectionSecret.objects.filter(sealed__in=before.values()).exists()
    assert "a-token" not in told
    assert secret.sealed not in told


def test_a_second_run_changes_nothing(sealed: tuple[System, ConnectionSecret], settings: Any) -> None:
    settings.SECRET_KEYS = (fernet_key(), settings.SECRET_KEYS[0])
    reencrypt()
    before = list(ConnectionSecret.objects.order_by("pk").values_list("sealed", flat=True))

    assert reencrypt()[0] == 0
    assert list(ConnectionSecret.objects.order_by("pk").values_list("sealed", flat=True)) == before


def test_what_no_key_opens_is_named_left_alone_and_makes_the_command_fail(
    sealed: tuple[System, ConnectionSecret], settings: Any
) -> None:
    _, secret = sealed
    lost_key, present = fernet_key(), settings.SECRET_KEYS
    settings.SECRET_KEYS = (lost_key,)
    lost = ConnectionSecretFactory(text="out of reach")
    settings.SECRET_KEYS = (fernet_key(), *present)

    code, told = reencrypt()

    assert code == 1
    assert str(lost.connection_id) in told
    assert "remove no key" in told
    assert lost.sealed not in told
    lost.refresh_from_db()
    with pytest.raises(ConfigurationError, match="a key that WEDSYNC_SECRET_KEYS lacks"):
        vault.decrypt(lost.sealed)
    secret.refresh_from_db()
    assert vault.rotate(secret.sealed) == secret.sealed, "the others are done all the same"


def test_many_rows_are_done_in_batches(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.management.commands import reencrypt_secrets

    monkeypatch.setattr(reencrypt_secrets, "BATCH", 3)
    door = ConnectionFactory()
    ConnectionSecretFactory.create_batch(7, connection=door)
    settings.SECRET_KEYS = (fernet_key(), settings.SECRET_KEYS[0])

    assert reencrypt()[0] == 0

    settings.SECRET_KEYS = settings.SECRET_KEYS[:1]
    assert all(vault.decrypt(row.sealed) for row in door.secrets.all())
