"""Whether a system could be called at all, judged from its row: the slips that would be met as faults of ours."""

from collections.abc import Iterator, Mapping

from django.conf import settings

from integrations.credentials.kinds import check_mail_server, credentials_of
from integrations.models import System
from integrations.outbound.guard import check_target
from wedsync import named_credentials, vault
from wedsync.env import ConfigurationError


def problems(system: System) -> Iterator[str]:
    """Why a system cannot be called, whatever is sent to it: sentences without a value; none where it can be.

    Values from the environment are looked at as they are in this process. Nobody is asked.
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
    known = credentials_of(system.kind)
    for name, value in values.items():
        try:
            if name in known and value:
                known[name].form(value)
        except ValueError as error:
            where = named_credentials.name_of(stored[name]) if named_credentials.is_named(stored[name]) else ""
            yield f"{known[name].label}{f' (from {where})' if where else ''}: {error}"
    try:
        check_mail_server(system.kind, values)
    except ValueError as error:
        yield f"{known['host'].label}: {error}"
    for name in _needed(system.kind, values):
        if not values.get(name):
            yield f"{known[name].label} is missing."


def _needed(kind: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """The credentials without which no call can be made."""
    if kind == System.Kind.WHATSAPP:
        return ("access_token", "phone_number_id")
    if kind == System.Kind.SLACK:
        return ("webhook_path",)
    if kind != System.Kind.EMAIL:
        return ()
    provider = (values.get("provider") or "").strip().lower()
    of_provider = {
        "smtp": ("host", "password") if values.get("username") else ("host",),
        "mailjet": ("api_key", "secret_key"),
        "scaleway": ("api_key", "project_id"),
    }
    return ("from", *of_provider.get(provider, ("api_key",)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
