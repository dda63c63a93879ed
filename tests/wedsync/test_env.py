"""The environment, the vault, and what startup refuses."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from wedsync import env, named_credentials, startup, vault
from wedsync.database.connection_settings import database


def test_a_missing_variable_is_named_and_its_use_explained() -> None:
    with pytest.raises(env.ConfigurationError, match=r"DATABASE_URL is not set.*postgresql://"):
        env.DATABASE_URL.read({})


def test_an_unreadable_value_is_not_repeated() -> None:
    with pytest.raises(env.ConfigurationError) as raised:
        env.PORT.read({"PORT": "secret-by-mistake"})
    assert "secret-by-mistake" not in str(raised.value)


def test_another_database_than_postgresql_is_refused() -> None:
    with pytest.raises(env.ConfigurationError, match="only on PostgreSQL"):
        database("mysql://somewhere/else")


def test_a_socket_and_a_password_with_signs_are_read_from_the_url() -> None:
    found = database("postgresql://me:p%40ss@/wed%20sync?host=/tmp/a%20b&port=5433&sslmode=require")

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/tmp/a b", "5433", "wed sync")
    assert found["PASSWORD"] == "p@ss"
    assert found["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LEASE_SECONDS", 2.0, "VISIBILITY_TIMEOUT.*WEDSYNC_LEASE.*WEDSYNC_CALL_DEADLINE"),
        ("URGENT_LEASE_SECONDS", 1.5, "VISIBILITY_TIMEOUT.*WEDSYNC_URGENT_LEASE.*WEDSYNC_URGENT_DEADLINE"),
        ("URGENT_LEASE_SECONDS", 25.0, "VISIBILITY_TIMEOUT.*WEDSYNC_URGENT_LEASE"),
        ("URGENT_DEADLINE_SECONDS", 4.5, "WEDSYNC_URGENT_DEADLINE"),
        ("VISIBILITY_TIMEOUT_SECONDS", 4.0, "VISIBILITY_TIMEOUT"),
        ("CALL_DEADLINE_SECONDS", 60.0, "CALL_DEADLINE"),
        ("RETRY_QUICK_SECONDS", (1.0, 99.0), "RETRY_QUICK"),
        ("SECRET_KEYS", (), "WEDSYNC_SECRET_KEYS"),
        ("SECRET_KEYS", ("nonsense",), "Fernet"),
    ],
)
def test_startup_refuses_what_would_lose_or_double_deliveries(
    settings: Settings, name: str, value: object, words: str
) -> None:
    setattr(settings, name, value)

    with pytest.raises(env.ConfigurationError, match=words):
        startup.verify()


def test_credentials_are_encrypted_and_survive_a_new_key(settings: Settings) -> None:
    sealed = vault.seal({"token": "abc"})
    assert "abc" not in sealed
    newer = Fernet.generate_key().decode()

    settings.SECRET_KEYS = (newer, *settings.SECRET_KEYS)

    assert vault.as_stored(sealed) == {"token": "abc"}
    sealed_again = vault.seal({"token": "def"})
    settings.SECRET_KEYS = (newer,)
    assert vault.as_stored(sealed_again) == {"token": "def"}, "the newest key encrypts"
    with pytest.raises(env.ConfigurationError, match="WEDSYNC_SECRET_KEYS lacks"):
        vault.as_stored(sealed)


def test_a_listed_credential_is_read_from_the_environment_when_it_is_used(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CREDENTIALS_ALLOWED = env.CREDENTIALS_ALLOWED.read(
        {"WEDSYNC_CREDENTIALS_ALLOWED": "lakeside:WEDSYNC_CREDENTIAL_TOKEN, hills:WEDSYNC_CREDENTIAL_OTHER"}
    )
    stored = {"token": "env:WEDSYNC_CREDENTIAL_TOKEN", "path": "as it is"}
    for unset in (None, ""):
        monkeypatch.delenv("WEDSYNC_CREDENTIAL_TOKEN", raising=False)
        if unset is not None:
            monkeypatch.setenv("WEDSYNC_CREDENTIAL_TOKEN", unset)
        with pytest.raises(env.ConfigurationError, match="WEDSYNC_CREDENTIAL_TOKEN, which is not set"):
            named_credentials.resolved(stored, "lakeside")

    monkeypatch.setenv("WEDSYNC_CREDENTIAL_TOKEN", "xyz")
    assert named_credentials.resolved(stored, "lakeside") == {"token": "xyz", "path": "as it is"}
    with pytest.raises(env.ConfigurationError, match="hills:WEDSYNC_CREDENTIAL_TOKEN"):
        named_credentials.resolved(stored, "hills")


@pytest.mark.parametrize(
    "text",
    ["lakeside", "lakeside:WEDSYNC_SECRET_KEYS", ":WEDSYNC_CREDENTIAL_X", "a b:WEDSYNC_CREDENTIAL_X", "a:b:c",
     "lakeside:WEDSYNC_CREDENTIAL_", "*:WEDSYNC_CREDENTIAL_X"],
)  # fmt: skip
def test_a_list_of_credentials_that_names_anything_else_is_refused(text: str) -> None:
    with pytest.raises(env.ConfigurationError, match="slug:NAME"):
        env.CREDENTIALS_ALLOWED.read({"WEDSYNC_CREDENTIALS_ALLOWED": text})


def test_a_lost_key_is_explained() -> None:
    foreign = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    with pytest.raises(env.ConfigurationError, match="WEDSYNC_SECRET_KEYS lacks"):
        vault.as_stored(foreign)


def test_targets_that_may_be_called_are_read_in_all_forms() -> None:
    text = "10.1.0.0/16:8443, 127.0.0.1:80,[fd00::/8]:443,fd00:1::/64:444,[fd00:2::7]:445,[fd00:3::]/48:446"

    assert env.OUTBOUND_ALLOW.read({"WEDSYNC_OUTBOUND_ALLOW": text}) == (
        "10.1.0.0/16:8443", "127.0.0.1/32:80", "[fd00::/8]:443", "[fd00:1::/64]:444", "[fd00:2::7/128]:445",
        "[fd00:3::/48]:446",
    )  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/8", "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:65536", "10.0.0.0/8:http", "10.0.0.0/8:-1", ":443",
        "10.0.0.1/8:443", "10.0.0.0/33:443", "venue.example:443", "fd00::1:443", "[fd00::1]", "[fd00::1:443", "443",
        "[fd00::/8]/8:443",
    ],
)  # fmt: skip
def test_a_target_that_can_not_be_read_stops_the_start(entry: str) -> None:
    with pytest.raises(env.ConfigurationError, match="WEDSYNC_OUTBOUND_ALLOW cannot be read.*CIDR:port"):
        env.OUTBOUND_ALLOW.read({"WEDSYNC_OUTBOUND_ALLOW": entry})
