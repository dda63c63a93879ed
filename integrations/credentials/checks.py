"""Whether a system could be called at all, judged from its row: finds mistakes that would fail as faults of ours."""

from collections.abc import Iterator

from django.conf import settings

from integrations.credentials.kinds import credentials_of
from integrations.models import System
from integrations.outbound.guard import check_target
from integrations.registry.accounts import account_of
from wedsync import named_credentials, vault
from wedsync.env import ConfigurationError


def problems(system: System) -> Iterator[str]:
    """Why no call to a system can be made: sentences without a value; none if it can be called.

    Values from the environment are those of this process. Makes no request.
    """
    try:
        check_target(system.base_url, settings.OUTBOUND_ALLOW)
    except ValueError as error:
        yield f"Base URL: {error}"
    try:
        stored, values = vault.as_stored(system.sealed_credentials), system.credentials
    except ConfigurationError as error:
        yield _sentence(str(error))
        return
    rules, known = account_of(system.kind), credentials_of(system.kind)
    for name, value in values.items():
        try:
            if name in known and value:
                known[name].check_format(value)
        except ValueError as error:
            where = named_credentials.name_of(stored[name]) if named_credentials.is_named(stored[name]) else ""
            yield f"{known[name].label}{f' (from {where})' if where else ''}: {error}"
    try:
        rules.check_together(values)
    except ValueError as error:
        yield f"{known[rules.judged_together[0]].label}: {error}"
    for name in rules.needed(values):
        if not values.get(name):
            yield f"{known[name].label} is missing."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
