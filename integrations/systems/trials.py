"""Trying a system's credentials by a call that changes nothing on the other side, where its provider has one.

A trial is no delivery and no question: no row, breaker, rate or figure of health learns of it. So it also works while
the system is paused or its breaker is open, which is when staff need it. It goes out as every call does: to a checked
address, within one deadline. docs/operators/health.md, "Trying a system".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import connection

from integrations.credentials import checks
from integrations.credentials.excerpts import for_row, secrets_of
from integrations.credentials.kinds import credentials_of
from integrations.errors import (
    CredentialsRefused,
    DeliveryError,
    NetworkError,
    OurFault,
    Permanent,
    ServerError,
    TargetGone,
    Throttled,
    TimedOut,
)
from integrations.models import System
from integrations.outbound import Response, check_status, send
from integrations.registry.senders import Sending
from integrations.remote_reads.asking import answer_in, question
from integrations.vendors import CALLED
from integrations.vendors.base import Harmless
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)
LONGEST = 500
_ADDRESS = (
    "Check where it leads on the system's page: the base URL, or over SMTP the mail server, its port and TLS. "
    "If that is right, the other side is down: try again later."
)
_UNTRIED_SIGNING = "The signing secret signs only what we write, so it was not part of this."


class TrialResult(StrEnum):
    """What is known of the credentials after a trial."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNUSABLE = "unusable"  # nothing was asked, since no call can be made with what is stored
    UNKNOWN = "unknown"
    NO_CALL = "no_call"

    @property
    def label(self) -> str:
        """For people."""
        return _LABELS[self]

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be done."""
        return self in {TrialResult.TAKEN, TrialResult.NO_CALL}


_LABELS = {
    TrialResult.TAKEN: "Taken",
    TrialResult.REFUSED: "Refused",
    TrialResult.UNUSABLE: "Cannot be called",
    TrialResult.UNKNOWN: "Not known",
    TrialResult.NO_CALL: "Not tried",
}


@dataclass(frozen=True)
class Trial:
    """What came of it, in sentences without a credential: what happened, and what to do; empty: nothing."""

    verdict: TrialResult
    said: str
    advice: str = ""


class TrialRefused(Exception):
    """The other side answered, and what is stored does not fit it. ``advice``: what to do. Neither holds a value."""

    def __init__(self, said: str, advice: str) -> None:
        super().__init__(said)
        self.advice = advice


@dataclass(frozen=True)
class HarmlessCall:
    """A call that changes nothing.

    Attributes:
        send: makes it.
        judge: passes an answer that shows that the credentials are taken, and returns what it does not show, as a
            sentence or an empty text; else raises ``DeliveryError`` or :class:`Unfit`.
    """

    send: Sending
    judge: Callable[[Response], str]


Finder = Callable[[System], HarmlessCall | None]
"""Finds a system's harmless call; ``None``: its provider has none. Raises ``DeliveryError``."""
_finders: dict[str, Finder] = {}


def register(kind: str, find: Finder) -> None:
    """Say how systems of a kind are tried; those that take calls in a vendor's words say it on their own class."""
    _finders[kind] = find


def try_out(system: System) -> Trial:
    """Try a system's credentials, in whatever state it is, within the deadline of an urgent call.

    No database connection is held meanwhile.
    """
    slips = " ".join(checks.problems(system))
    if slips:
        return Trial(TrialResult.UNUSABLE, slips, "Nothing was asked. Mend this on the system's page, then try again.")
    secrets = secrets_of(system)
    started = time.monotonic()
    trial = _tried(system)
    milliseconds = int((time.monotonic() - started) * 1000)
    log.info("system_tried", system=str(system.id), outcome=trial.verdict.value, milliseconds=milliseconds)
    return Trial(trial.verdict, for_row(trial.said, secrets, LONGEST), trial.advice)


def _tried(system: System) -> Trial:
    label = system.get_kind_display()
    try:
        call = _finders.get(system.kind, _of_vendor)(system)
        if call is None:
            return _not_tried(label)
        if not connection.in_atomic_block:
            connection.close()
        left_open = call.judge(call.send(settings.URGENT_DEADLINE_SECONDS))
    except TrialRefused as unfit:
        return Trial(TrialResult.REFUSED, f"{unfit}.", unfit.advice)
    except ConfigurationError as error:
        return _failed(system, OurFault(str(error)))
    except DeliveryError as error:
        return _failed(system, error)
    stopped = system.state != System.Status.ACTIVE
    resume = f"The system is {system.state}. Resume it, and what is held for it goes out." if stopped else ""
    return Trial(TrialResult.TAKEN, f"{label} took the credentials. {left_open}".strip(), resume)


def _not_tried(label: str) -> Trial:
    said = f"{label} has no call that changes nothing, so nothing was asked. What is stored has the right form."
    return Trial(
        TrialResult.NO_CALL, said, "The next delivery tells: send something real, such as a drill, and look at it."
    )


def _of_vendor(system: System) -> HarmlessCall | None:
    """By the question that the vendor's class names."""
    harmless = CALLED[system.kind].harmless()
    if harmless is None:
        return None
    call = question(system, harmless.path, harmless.query)
    left_open = _UNTRIED_SIGNING if system.credentials.get("signing_secret") else ""
    return HarmlessCall(
        lambda deadline: send(call, deadline=deadline), lambda response: _answered(harmless, response, left_open)
    )


def _answered(harmless: Harmless, response: Response, left_open: str) -> str:
    check_status(response)
    if harmless.answers not in answer_in(response):
        raise Permanent(f"the answer has no “{harmless.answers}”")
    return left_open


def _failed(system: System, error: DeliveryError) -> Trial:
    """What an error says of the credentials, and what to do about it."""
    label = system.get_kind_display()
    match error:
        case CredentialsRefused():
            return Trial(TrialResult.REFUSED, f"{label} refused the credentials: {error}.", _enter_anew(system))
        case TargetGone():
            return Trial(TrialResult.REFUSED, f"{label} says that this target is gone: {error}.", _ADDRESS)
        case OurFault():
            return Trial(TrialResult.UNUSABLE, f"No call could be made: {error}.", "Mend this on the system's page.")
        case Throttled():
            said = f"{label} asks for patience: {error}. Nothing is known of the credentials."
            return Trial(TrialResult.UNKNOWN, said, "Try again in some minutes.")
        case ServerError():
            said = f"{label} has trouble of its own: {error}. Nothing is known of the credentials."
            return Trial(TrialResult.UNKNOWN, said, "Try again later. If it stays so, ask the other side.")
        case NetworkError() | TimedOut():
            said = f"{label} was not reached: {error}. Nothing is known of the credentials."
            return Trial(TrialResult.UNKNOWN, said, _ADDRESS)
    said = f"What answered does not answer as {label} does: {error}. Nothing is known of the credentials."
    return Trial(TrialResult.UNKNOWN, said, _ADDRESS)


def _enter_anew(system: System) -> str:
    known, stored = credentials_of(system.kind), system.credentials
    signing = {"signing_secret", "previous_signing_secret"}
    labels = [each.label for name, each in known.items() if each.secret and stored.get(name) and name not in signing]
    if not labels:
        return "Enter the credentials on the system's page, then try again."
    again = "then try again" if system.state == System.Status.ACTIVE else "try again, then resume the system"
    return (
        f"Enter this anew on the system's page, {again}: {', '.join(labels)}. Where it comes from the environment, "
        "whoever runs WedSync changes the variable."
    )
