"""A process whose keys are not the database's refuses to start, in words, and changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from pytest_django import Settings

from integrations.models import KeyCheck
from integrations.systems import key_check
from tests.factories import SystemFactory
from tests.live.product import Product
from wedsync import vault
from wedsync.env import ConfigurationError
from wedsync.runner.__main__ import SETUP
from wedsync.runner.supervision import procfile

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def new_key() -> str:
    return Fernet.generate_key().decode()


def test_the_first_process_leaves_a_value_that_every_later_one_reads(settings: Settings) -> None:
    key_check.verify()
    key_check.verify()
    assert vault.decrypt(KeyCheck.objects.get().sealed) == key_check.WORD

    settings.SECRET_KEYS = (new_key(),)
    with pytest.raises(ConfigurationError, match="database of another copy of WedSync"):
        key_check.verify()


def test_a_database_from_before_the_value_is_judged_by_its_secrets(settings: Settings) -> None:
    SystemFactory(credentials={"token": "t"})
    settings.SECRET_KEYS = (new_key(),)

    with pytest.raises(ConfigurationError, match="WEDSYNC_SECRET_KEYS"):
        key_check.verify()

    assert not KeyCheck.objects.exists(), "a stranger leaves no value"


def test_keys_are_changed_in_the_usual_three_steps(settings: Settings) -> None:
    key_check.verify()
    old, new = settings.SECRET_KEYS[0], new_key()

    settings.SECRET_KEYS = (new, old)
    key_check.verify()
    call_command("reencrypt_secrets")
    key_check.verify()

    settings.SECRET_KEYS = (new,)
    key_check.verify()


STARTS = {
    "a start of `make run`": (sys.executable, *SETUP[0].partition("=")[2].split()[1:]),
    "the demo's data": (sys.executable, "manage.py", "seed_demo"),
    **{
        name: procfile.shell(line)
        for name, line in procfile.read(ROOT / "Procfile").items()
        if not name.startswith("worker-") or name == "worker-urgent"  # the others differ by their queue
    },
}


@pytest.mark.parametrize("name", STARTS)
def test_no_process_of_ours_starts_on_another_copys_database(name: str, tmp_path: Path) -> None:
    key_check.verify()
    (tmp_path / "run").mkdir(exist_ok=True)
    environment = Product(tmp_path).environment | {"WEDSYNC_SECRET_KEYS": new_key(), "WEDSYNC_PROCESS": name}
    path = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"

    done = subprocess.run(
        STARTS[name],
        cwd=ROOT,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode, said
    assert "database of another copy of WedSync" in said
    assert "keys/WEDSYNC_SECRET_KEYS" in said
