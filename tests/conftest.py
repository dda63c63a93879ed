"""What all tests share."""

from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

KEPT = ("django_migrations", "django_content_type", "auth_permission")
EMPTY = """
DO $$
DECLARE
    name text;
    found boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s) LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO found;
        IF found THEN
            EXECUTE format('DELETE FROM %%I', name);
        END IF;
    END LOOP;
END
$$
"""


def _empty_tables(_: TransactionTestCase) -> None:
    """Empty the tables that hold rows; Django's flush empties all of them and makes its permissions anew each time."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY, [list(KEPT)])


def pytest_configure() -> None:
    """Let passwords, static files and emptying the tables cost nothing here, and examples take their time.

    The real hash stays known for tests that sign in at a real process. Every test client would read all static files
    anew, unless they are only looked up when asked for.
    """
    hypothesis.settings.register_profile("any machine", deadline=None)
    hypothesis.settings.load_profile("any machine")
    TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


def _end_other_sessions() -> None:
    """Threads that a test has left hold connections, and a database that somebody uses cannot be dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Make the database also where only tests without the ``django_db`` mark want it: those with real processes."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        _end_other_sessions()
        teardown_databases(made, verbosity=0)
