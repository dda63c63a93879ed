"""Trying a system's credentials with a call that changes nothing on the other side, if its provider has one.

A trial is neither a delivery nor a remote read: it touches no row, breaker, rate or health figure. So it also works
while the system is paused or its breaker is open, which is when staff need it. Like every call it goes to a checked
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
    "Check the address on the system's page: the base URL, or for SMTP the mail server, its port and TLS. "
    "If it is right, the other side is down: try again later."
)
_UNTRIED_SIGNING = "The signing secret only signs requests that write, so it was not tried."


class TrialResult(StrEnum):
    """What a trial tells about the credentials."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNUSABLE = "unusable"  # no call was made, since none can be made with what is stored
    UNKNOWN = "unknown"
    NO_CALL = "no_call"

    @property
    def label(self) -> str:
        """The result's name for people."""
        return _LABELS[self]

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be done."""
        return self in {TrialResult.TAKEN, TrialResult.NO_CALL}


_LABELS = {
    TrialResult.TAKEN: "Accepted",
    TrialResult.REFUSED: "Refused",
    TrialResult.UNUSABLE: "Cannot be called",
    TrialResult.UNKNOWN: "Unknown",
    TrialResult.NO_CALL: "Not tried",
}


@dataclass(frozen=True)
class Trial:
    """The outcome, in sentences without a credential: ``said``: what happened; ``advice``: what to do, or empty."""

    result: TrialResult
    said: str
    advice: str = ""


class TrialRefused(Exception):
    """The other side answered that the stored data is wrong. ``advice``: what to do. Neither text contains a value."""

    def __init__(self, said: str, advice: str) -> None:
        super().__init__(said)
        self.advice = advice


@dataclass(frozen=True)
class HarmlessCall:
    """A call that changes nothing.

    Attributes:
        send: makes the call.
        judge: checks that the answer proves the credentials valid, and returns a sentence about what it does not
            prove, or an empty text. Raises ``DeliveryError`` or :class:`TrialRefused`.
    """

    send: Sending
    judge: Callable[[Response], str]


Finder = Callable[[System], HarmlessCall | None]
"""Finds a system's harmless call; ``None``: its provider has none. Raises ``DeliveryError``."""
_finders: dict[str, Finder] = {}


def register(kind: str, find: Finder) -> None:
    """Register how systems of a kind are tried; vendors that we call name their harmless call on their own class."""
    _finders[kind] = find


def try_out(system: System) -> Trial:
    """Try a system's credentials, whatever its state, within the deadline of an urgent call.

    No database connection is held during the call.
    """
    slips = " ".join(checks.problems(system))
    if slips:
        return Trial(TrialResult.UNUSABLE, slips, "No call was made. Correct it on the system's page, then try again.")
    secrets = secrets_of(system)
    started = time.monotonic()
    trial = _tried(system)
    milliseconds = int((time.monotonic() - started) * 1000)
    log.info("system_tried", system=str(system.id), outcome=trial.result.value, milliseconds=milliseconds)
    return Trial(trial.result, for_row(trial.said, secrets, LONGEST), trial.advice)


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
    resume = f"The system is {system.state}. Resume it to send what is held for it." if stopped else ""
    return Trial(TrialResult.TAKEN, f"{label} accepted the credentials. {left_open}".strip(), resume)


def _not_tried(label: str) -> Trial:
    said = f"{label} has no call that changes nothing, so none was made. The stored credentials have the right form."
    return Trial(
        TrialResult.NO_CALL, said, "The next delivery will tell: send something real, such as a drill, and check it."
    )


def _of_vendor(system: System) -> HarmlessCall | None:
    """The harmless call that the vendor's class names."""
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
    """What an error says about the credentials, and what to do."""
    label = system.get_kind_display()
    match error:
        case CredentialsRefused():
            return Trial(TrialResult.REFUSED, f"{label} refused the credentials: {error}.", _enter_again(system))
        case TargetGone():
            return Trial(TrialResult.REFUSED, f"{label} says that this target is gone: {error}.", _ADDRESS)
        case OurFault():
            return Trial(TrialResult.UNUSABLE, f"No call could be made: {error}.", "Correct this on the system's page.")
        case Throttled():
            said = f"{label} limits our calls: {error}. This says nothing about the credentials."
            return Trial(TrialResult.UNKNOWN, said, "Try again in a few minutes.")
        case ServerError():
            said = f"{label} had an error of its own: {error}. This says nothing about the credentials."
            return Trial(TrialResult.UNKNOWN, said, "Try again later. If it persists, ask the other side.")
        case NetworkError() | TimedOut():
            said = f"{label} was not reached: {error}. This says nothing about the credentials."
            return Trial(TrialResult.UNKNOWN, said, _ADDRESS)
    said = f"The server does not answer as {label} does: {error}. This says nothing about the credentials."
    return Trial(TrialResult.UNKNOWN, said, _ADDRESS)


def _enter_again(system: System) -> str:
    known, stored = credentials_of(system.kind), system.credentials
    signing = {"signing_secret", "previous_signing_secret"}
    labels = [each.label for name, each in known.items() if each.secret and stored.get(name) and name not in signing]
    if not labels:
        return "Enter the credentials on the system's page, then try again."
    again = "then try again" if system.state == System.Status.ACTIVE else "try again, then resume the system"
    return (
        f"Enter this again on the system's page, {again}: {', '.join(labels)}. If it comes from the environment, "
        "your WedSync operator must change the variable."
    )
