"""A vendor's adapter: its name, its signature, its words for our events, and the calls that it accepts.

A new vendor is one file beside this one (see CONTRIBUTING.md). Implement :meth:`Vendor.outbound` if the vendor accepts
calls; leave :meth:`Vendor.canonical` unless more than names must change.
"""

import json
import re
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from pydantic import ValidationError

from integrations.accounts.rules import ACCESS_TOKEN, PREVIOUS_SIGNING_SECRET, SIGNING_SECRET, AccountRules
from integrations.outbound import Request
from integrations.signatures.base import SignatureScheme
from integrations.vendors.reasons import LONGEST_NAME, problems_of
from wedsync.live.event_types.catalogue import CATALOGUE, EMERGENCY
from wedsync.live.event_types.payloads import is_blank
from wedsync.live.models import ChannelEvent
from wedsync.weddings.fields import CHANGEABLE
from wedsync.wire.plain_text import clean, clean_text
from wedsync.wire.problems import FieldProblem

# docs/vendors/README.md, "Names and values". Our payloads call the day of the shoot the date.
COMMON_ALIASES: Mapping[str, str] = {
    "headcount": "guest_count",
    "location_name": "venue_name",
    "reservation_id": "booking_id",
    "customer_id": "client_id",
    "shoot_date": "date",
    "event_date": "date",
    "max_capacity": "capacity",
}
# Any vendor's spellings, since in an emergency nobody checks capitals and dots.
_EMERGENCY_SPELLINGS = frozenset({"emergencyreported", "venueemergencyreported"})
_SEPARATORS = re.compile(r"[\W_]+")


class SchemaError(Exception):
    """A payload breaks its event type's schema. ``problems``: worded for the sender."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__(FieldProblem.listed(problems))
        self.problems = problems


@dataclass(frozen=True)
class Client:
    """The person that a ``client.updated`` is about, as the called vendor knows them.

    Attributes:
        external_id: the vendor's id for the person; ``None``: the vendor does not know them yet.
        known: the values that the vendor is known to hold, by our names.
        profile: the values that we hold, by our names, without empty ones.
    """

    external_id: str | None
    known: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outgoing:
    """The input of a call to a vendor: the event, the vendor's own ids, and the sequence.

    Attributes:
        booking_id: the vendor's id for the wedding; ``None``: the vendor does not know it.
        sequence: counts ``channel``'s events; ``None``: the event is on no channel of the vendor's.
        client: for ``client.updated``, if we know the person.
    """

    event: ChannelEvent
    booking_id: str | None
    sequence: int | None
    channel: str | None = None
    client: Client | None = None


@dataclass(frozen=True)
class Harmless:
    """A GET that changes nothing and tries the credentials. ``answers``: a field that the answer must have."""

    path: str
    query: Mapping[str, str | int]
    answers: str


class Vendor(ABC, AccountRules):
    """One vendor's adapter."""

    credentials = (ACCESS_TOKEN, SIGNING_SECRET, PREVIOUS_SIGNING_SECRET)

    slug: ClassVar[str]
    label: ClassVar[str]
    signature: ClassVar[SignatureScheme]
    event_types: ClassVar[Mapping[str, str]]
    aliases: ClassVar[Mapping[str, str]] = {}
    words: ClassVar[Mapping[str, str]] = {}  # our names → the vendor's, one each
    needs_no_booking: ClassVar[frozenset[str]] = frozenset()  # types sent even if it does not know the wedding
    lists_clients: ClassVar[bool] = False  # GET /clients
    tells_availability: ClassVar[bool] = False  # GET /availability

    def event_type(self, name: str) -> str | None:
        """Our name for an event type; ``None``: unrecognised. Canonical names are always recognised.

        Capitals and surrounding spaces do not matter. Events about WedSync itself are not accepted from vendors, which
        could raise false alarms with them.
        """
        ours = name if name in CATALOGUE else self.event_types.get(name)
        if ours is None:
            ours = self._in_any_capitals().get(name.strip().casefold())
        if ours is None and _SEPARATORS.sub("", name.casefold()) in _EMERGENCY_SPELLINGS:
            ours = EMERGENCY
        return None if ours is None or CATALOGUE[ours].is_ours else ours

    @cache  # noqa: B019  (vendors live as long as the process)
    def _in_any_capitals(self) -> Mapping[str, str]:
        """Every name, in lower case, that the vendor may use for an event type, and ours for it."""
        return {name: name for name in CATALOGUE} | {name.casefold(): ours for name, ours in self.event_types.items()}

    def canonical(self, event_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload in our names, as plain text, checked; unknown fields stay under ``extra``.

        Raises:
            SchemaError: naming each field and the reason.
        """
        schema = CATALOGUE[event_type].payload
        try:
            checked = schema.model_validate(self._in_our_names(event_type, payload))
        except ValidationError as error:
            raise SchemaError(problems_of(error)) from error
        dumped = checked.model_dump(mode="json")
        return {name: value for name, value in dumped.items() if value is not None}

    @cache  # noqa: B019  (vendors live as long as the process)
    def _names(self, event_type: str) -> Mapping[str, str]:
        """The names that the vendor may use for the fields of an event type, and ours for them."""
        schema = CATALOGUE[event_type].payload
        fields = schema.model_fields.keys() - schema.ours
        spoken = [*COMMON_ALIASES.items(), *self.aliases.items(), *((name, name) for name in fields)]
        return {theirs: ours for theirs, ours in spoken if ours in fields}

    def _in_our_names(self, event_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        names, forgiving = self._names(event_type), event_type == EMERGENCY
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        twice = set()
        for name, value in payload.items():
            ours = names.get(name)
            if ours is None:
                extra[clean_text(name)] = clean(value)
            elif ours not in known or is_blank(known[ours]):
                known[ours] = clean(value)
            elif forgiving:
                extra[name] = clean(value)
            elif not is_blank(value):
                twice.add(ours)
        given = known.setdefault("extra", {})
        if isinstance(given, dict):
            if not forgiving:
                twice |= {f"extra.{name[:LONGEST_NAME]}" for name in extra.keys() & given.keys()}
            known["extra"] = {**extra, **given}
        if twice:
            raise SchemaError([FieldProblem(name, "is given twice; send one of its names") for name in sorted(twice)])
        if isinstance(known.get("changes"), list):
            known["changes"] = [self._change_in_our_names(change) for change in known["changes"]]
        return known

    def _change_in_our_names(self, change: Any) -> Any:
        """A change whose field may have the vendor's own name, in our names."""
        named = change.get("field") if isinstance(change, dict) else None
        if not isinstance(named, str):
            return change
        ours = self.aliases.get(named.strip()) or COMMON_ALIASES.get(named.strip())
        return {**change, "field": ours} if ours in CHANGEABLE else change

    def in_own_words(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Fields by the vendor's own names, without missing ones."""
        return {self.words.get(name, name): value for name, value in fields.items() if value is not None}

    def outbound(self, outgoing: Outgoing) -> Request | None:
        """The call that tells the vendor about an event; ``None``: it has none for this type."""
        return None

    def harmless(self) -> Harmless | None:
        """The request that tries our credentials; ``None``: the vendor has none."""
        return None


def json_request(method: str, path: str, outgoing: Outgoing, body: Mapping[str, Any]) -> Request:
    """A JSON call with the event's id, time and sequence, so that the vendor can put events in order."""
    event = outgoing.event
    whole = {
        "id": str(event.id),
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
        "sequence": outgoing.sequence,
        **body,
    }
    return Request(method, path, json.dumps(whole, ensure_ascii=False), {"Content-Type": "application/json"})
