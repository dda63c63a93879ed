"""Credentials from the environment: ``env:NAME`` instead of a value (docs/adr/0051).

Anyone who may write a system's credentials can have such a value sent anywhere. The operator therefore decides: a name
must begin with :data:`PREFIX`, and ``WEDSYNC_CREDENTIALS_ALLOWED`` must list it for the organization. Both are checked
at each use, since a row may be older than this rule or the current list.
"""

import os
import re
from collections.abc import Mapping

from django.conf import settings

from wedsync.env import ConfigurationError
from wedsync.env_forms import CREDENTIAL_PREFIX as PREFIX

MARK = "env:"
_NAME = re.compile(PREFIX + r"[A-Za-z0-9_]+")


def is_named(value: str) -> bool:
    """Whether a stored value names a variable instead of holding the credential."""
    return value.startswith(MARK)


def name_of(value: str) -> str:
    """The variable that a stored value names."""
    return value.removeprefix(MARK)


def check(value: str, organization: str) -> None:
    """Accept ``env:NAME`` if the organization may use the variable.

    Arguments:
        organization: its slug.

    Raises:
        ValueError: with the reason as a sentence, which does not reveal whether a variable exists.
    """
    name = name_of(value)
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"Write {MARK} and the name of a variable that begins with {PREFIX}, for instance {MARK}{PREFIX}SLACK_PATH."
        )
    if f"{organization}:{name}" not in settings.CREDENTIALS_ALLOWED:
        raise ValueError(
            f"The operator has not listed {name} for this organization: WEDSYNC_CREDENTIALS_ALLOWED needs the entry "
            f"{organization}:{name}."
        )


def resolved(stored: Mapping[str, str], organization: str) -> dict[str, str]:
    """The credentials with every ``env:NAME`` replaced by the variable's current value.

    Arguments:
        organization: the slug of the organization that the credentials belong to.

    Raises:
        ConfigurationError: a variable that the organization may not use, or that is not set.
    """
    return {name: _value(name, value, organization) for name, value in stored.items()}


def _value(credential: str, value: str, organization: str) -> str:
    if not is_named(value):
        return value
    try:
        check(value, organization)
    except ValueError as error:
        raise ConfigurationError(f"the credential {credential} cannot be used: {error}".rstrip(".")) from error
    if not (found := os.environ.get(name_of(value))):
        raise ConfigurationError(f"the credential {credential} names the variable {name_of(value)}, which is not set")
    return found
