"""Encrypts stored secrets with Fernet; the keys are in ``WEDSYNC_SECRET_KEYS``, newest first."""

import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from wedsync.env import ConfigurationError

_NO_KEY = "a stored secret was encrypted with a key that WEDSYNC_SECRET_KEYS lacks"


@lru_cache(maxsize=2)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ConfigurationError("WEDSYNC_SECRET_KEYS is empty: without a key no stored secret can be written or read")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ConfigurationError("WEDSYNC_SECRET_KEYS contains something that is not a Fernet key") from error


def check_keys() -> None:
    """Read the keys once.

    Raises:
        ConfigurationError: there are none, or one is not a Fernet key.
    """
    _fernet(tuple(settings.SECRET_KEYS))


def encrypt(text: str) -> str:
    """Encrypt with the newest key."""
    return _fernet(tuple(settings.SECRET_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt with the key that fits.

    Raises:
        ConfigurationError: none of our keys made this token; the right one is missing from the list.
    """
    return _decrypted(tuple(settings.SECRET_KEYS), token)


@lru_cache(maxsize=1_000)
def _decrypted(keys: tuple[str, ...], token: str) -> str:
    """Decrypt; cached, since each call to a system needs its credentials."""
    try:
        return _fernet(keys).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ConfigurationError(_NO_KEY) from error


def rotate(token: str) -> str:
    """The secret encrypted with the newest key; one that already is stays unchanged.

    Raises:
        ConfigurationError: none of our keys made this token.
    """
    newest, every = _fernet(tuple(settings.SECRET_KEYS)[:1]), _fernet(tuple(settings.SECRET_KEYS))
    try:
        newest.decrypt(token.encode())
        return token
    except InvalidToken:
        pass
    try:
        return every.rotate(token.encode()).decode()
    except InvalidToken as error:
        raise ConfigurationError(_NO_KEY) from error


def seal(values: dict[str, str]) -> str:
    """Encrypt a set of credentials; an empty set stays an empty text."""
    return encrypt(json.dumps(values)) if values else ""


def as_stored(token: str) -> dict[str, str]:
    """The credentials as they were typed: ``env:NAME`` is not resolved (:mod:`wedsync.named_credentials`).

    Raises:
        ConfigurationError: they cannot be decrypted.
    """
    values: dict[str, str] = json.loads(decrypt(token)) if token else {}
    return values
