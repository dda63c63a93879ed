"""The rules for each answer, and for the rows at the end."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from bench.envelopes import TAKEN
from bench.fuzz.case import Case
from bench.fuzz.client import Answer
from bench.fuzz.words import is_told_rightly
from bench.ground import Facts, Ground

_STATUSES = {202: ("accepted", "unrecognised"), 200: ("duplicate",)}
_NO_HTTP = b"Invalid HTTP request received."
"""Uvicorn's own answer to what is not HTTP, which never reaches the receiver."""
_CLOCKS = {"ceremony_time", "reception_time", "reception_end"}
_CLOCK = re.compile(r"^\s*([0-9-]+[Tt ])?[0-9]{1,2}(:[0-9]{2}| ?[AaPp]\.?[Mm])")
SHOWN = 10
"""Examples of wrong answers that are kept."""


def wrong_with(case: Case, answer: Answer | None) -> str:
    """What is wrong with an answer; an empty text if it is right."""
    if answer is None:
        return "no answer to a well-formed request" if case.well_formed else ""
    if answer.status >= 500 and answer.status != 503:
        return f"the answer is {answer.status}"
    if answer.status in TAKEN:
        return _wrong_with_taken(case, answer)
    if answer.content == _NO_HTTP:
        return "uvicorn calls well-formed HTTP invalid" if case.well_formed else ""
    if answer.content_type != "application/problem+json":
        return f"{answer.status} is not application/problem+json"
    problem = {"status": answer.status, "type": "/problems/"} if case.head else answer.json() or {}
    if problem.get("status") != answer.status or not str(problem.get("type")).startswith("/problems/"):
        return f"{answer.status} is not a problem of ours"
    return ""


def _wrong_with_taken(case: Case, answer: Answer) -> str:
    if not case.signed:
        return "a request that was not correctly signed was accepted"
    if (answer.json() or {}).get("status") not in _STATUSES[answer.status]:
        return f"{answer.status} does not say whether the request is stored"
    return ""


@dataclass
class Verdict:
    """All answers so far."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    signed_bodies: set[bytes] = field(default_factory=set)
    stored_ids: set[str] = field(default_factory=set)

    def add(self, case: Case, answer: Answer | None) -> None:
        """Judge one answer and count it."""
        if case.signed:
            self.signed_bodies.add(hashlib.sha256(case.body).digest())
        if answer and answer.status == 202:
            self.stored_ids.add(str((answer.json() or {}).get("id")))
        self.answers[str(answer.status) if answer else "no answer"] += 1
        if problem := wrong_with(case, answer):
            self.wrong[problem] += 1
            if len(self.examples) < SHOWN:
                self.examples.append(f"{problem}: {_start(case)!r} -> {answer and answer.content[:200]!r}")

    def compare(self, ground: Ground, facts: Facts) -> None:
        """Check that stored requests were signed, and that requests answered 202 are stored."""
        kept = ground.execute(
            "SELECT id::text, sha256(body), verdict, event_id::text FROM webhooks_receipt"
            f" WHERE connection_id = '{facts.connection}' AND verdict IN ('accepted', 'unrecognised')"
        )
        events = ground.execute(
            "SELECT id::text FROM live_channelevent"
            f" WHERE organization_id = '{facts.organization}' AND source = 'webhook'"
        )
        self.wrong["a stored body was not correctly signed"] += sum(
            bytes(digest) not in self.signed_bodies for _, digest, _, _ in kept
        )
        receipts = {event_id for _, _, verdict, event_id in kept if verdict == "accepted"}
        self.wrong["an event has no receipt, or a receipt no event"] += len(receipts ^ {row[0] for row in events})
        changed = ground.execute(
            "SELECT change->>'field', change->>'after' FROM live_channelevent,"
            " jsonb_array_elements(payload->'changes') change"
            f" WHERE organization_id = '{facts.organization}' AND type = 'timeline.updated'"
        )
        self.wrong["a time is told that no wedding can keep"] += sum(
            field in _CLOCKS and not _CLOCK.search(str(after)) for field, after in changed
        )
        self.wrong["answered 202, but not stored"] += len(self.stored_ids - {row[0] for row in kept})
        said = ground.execute(
            "SELECT body, payload #>> '{extra,said}' FROM webhooks_receipt JOIN live_channelevent"
            " ON live_channelevent.id = event_id"
            f" WHERE connection_id = '{facts.connection}' AND payload #> '{{extra,said}}' IS NOT NULL"
        )
        self.wrong["a text is told differently from what was sent"] += sum(
            not is_told_rightly(json.loads(bytes(body))["payload"]["said"], told) for body, told in said
        )
        self.wrong = +self.wrong


def _start(case: Case) -> bytes:
    """The first line, the names of the headers, and the beginning of the body: no signature."""
    lines = case.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = b", ".join(line.partition(b":")[0] for line in lines[1:])
    return b" | ".join((lines[0][:200], names[:200], case.body[:200]))
