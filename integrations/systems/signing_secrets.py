"""The secrets that sign requests to a system: after a new one is made, the previous one also signs for a while."""

from django.db import transaction

from integrations.models import System
from integrations.signatures.standard_webhooks import StandardWebhooks
from wedsync import vault
from wedsync.env import ConfigurationError

CURRENT, PREVIOUS = "signing_secret", "previous_signing_secret"


@transaction.atomic
def rotate_signing_secret(system: System) -> str:
    """Make a new signing secret; the present one also signs until :func:`end_previous_secret`.

    Returns:
        The new secret in plain text; it is stored encrypted, and never shown again.

    Raises:
        ConfigurationError: the stored credentials cannot be decrypted, or there is no key.
    """
    row, stored = _locked(system)
    made = StandardWebhooks().new_secret()
    kept = {PREVIOUS: stored[CURRENT]} if CURRENT in stored else {}
    row.seal_credentials({**stored, **kept, CURRENT: made})
    row.save(update_fields=["sealed_credentials"])
    return made


@transaction.atomic
def end_previous_secret(system: System) -> bool:
    """Sign with the newest secret only; false if that was already so.

    Raises:
        ConfigurationError: the stored credentials cannot be decrypted, or there is no key.
    """
    row, stored = _locked(system)
    if stored.pop(PREVIOUS, None) is None:
        return False
    row.seal_credentials(stored)
    row.save(update_fields=["sealed_credentials"])
    return True


def has_previous(system: System) -> bool:
    """Whether an older secret also signs; true as well if the credentials cannot be decrypted."""
    try:
        return PREVIOUS in vault.as_stored(system.sealed_credentials)
    except ConfigurationError:
        return True


def in_force(credentials: dict[str, str]) -> list[str]:
    """The secrets that sign, newest first; empty: nothing is signed."""
    return [credentials[name] for name in (CURRENT, PREVIOUS) if credentials.get(name)]


def _locked(system: System) -> tuple[System, dict[str, str]]:
    """The row, locked: two rotations at the same time must not lose a secret."""
    row = System.objects.select_for_update(no_key=True).get(id=system.id)
    return row, vault.as_stored(row.sealed_credentials)
