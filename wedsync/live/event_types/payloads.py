"""The canonical payload of each event type. docs/developers/event-types.md.

Every producer (vendors, API, forms) is checked against these; a vendor's other fields are kept under ``extra``.
"""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from wedsync.ids import as_id
from wedsync.weddings import fields
from wedsync.wire.currencies import MOST_DECIMALS, decimals_of, fits
from wedsync.wire.written_times import read_date, read_moment

LONGEST_TEXT, LONGEST_NAME = 10_000, 200


def is_blank(value: object) -> bool:
    """Whether a value is empty: in an optional field it counts as omitted."""
    return value is None or (isinstance(value, str) and not value.strip())


def _id_as_text(value: object) -> object:
    """An id as text, since many systems send numeric ids as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_text(value: object) -> str:
    """A hurried sender's value as text, whatever its type."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _cut(longest: int) -> BeforeValidator:
    def cut(value: object) -> str:
        text = _as_text(value)
        return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"

    return BeforeValidator(cut)


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
Id = Annotated[Name, BeforeValidator(_id_as_text)]
Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2_000)]
Day = Annotated[dt.date, BeforeValidator(read_date)]
Moment = Annotated[dt.datetime, BeforeValidator(read_moment)]
Count = Annotated[int, Field(ge=0, le=100_000, strict=True)]
# No readable value of an emergency is refused: long texts are cut, and values of other types are turned into text.
CutText = Annotated[Text, _cut(LONGEST_TEXT)]
CutName = Annotated[Name, _cut(LONGEST_NAME)]


class _Said(BaseModel):
    """What a sender says: a blank value in an optional field counts as omitted."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, said: Any) -> Any:
        if not isinstance(said, Mapping):
            return said
        blank = [name for name, value in said.items() if is_blank(value)]
        if not blank:
            return said
        left_out = _optional_of(cls).intersection(blank)
        return {name: value for name, value in said.items() if name not in left_out}


@cache
def _optional_of(schema: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in schema.model_fields.items() if not field.is_required())


class Payload(_Said):
    """What all payloads share. ``ours``: fields that senders must not fill in.

    ``before`` is what we knew when the event was applied; ``previous`` is the former value that the sender gives.
    """

    ours: ClassVar[frozenset[str]] = frozenset({"before", "wedding_assumed", "further"})

    wedding_id: UUID | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class FieldChange(_Said):
    """One field of a timeline: ``field`` as the wedding names it, ``before`` and ``after`` as text or number.

    For a field that the wedding stores, only values that it can store are accepted, so that what is told is also kept.
    """

    field: Name
    before: str | int | None = None
    after: str | int | None

    @field_validator("field")
    @classmethod
    def _in_our_spelling(cls, name: str) -> str:
        return fields.field_named(name)

    @field_validator("after")
    @classmethod
    def _can_be_kept(cls, value: str | int | None, info: ValidationInfo) -> str | int | None:
        field = info.data.get("field")
        if field in fields.CHANGEABLE:
            fields.parse(field, value)
        return None if is_blank(value) else value


class TimelineUpdated(Payload):
    changes: list[FieldChange] = Field(min_length=1, max_length=100)
    schedule: list[dict[str, Any]] | None = Field(default=None, max_length=1_000)
    booking_id: Id | None = None

    @model_validator(mode="after")
    def _one_of_each_that_is_kept(self) -> Self:
        """If a field of the wedding is named several times, its last value is kept, so only that is told."""
        found: dict[object, FieldChange] = {}
        for place, change in enumerate(self.changes):
            key: object = change.field if change.field in fields.CHANGEABLE else place
            first = found.get(key)
            found[key] = change if first is None else change.model_copy(update={"before": first.before})
        self.changes = list(found.values())
        return self


class GuestCountChanged(Payload):
    guest_count: Count
    previous: Count | None = None
    before: Count | None = None
    booking_id: Id | None = None


class Booking(Payload):
    booking_id: Id
    status: Name
    date: Day | None = None
    notes: Text | None = None


class Gallery(Payload):
    gallery_url: Link
    photo_count: Count | None = None
    booking_id: Id | None = None


class Payment(Payload):
    """``amount``: at most 12 digits, with at most as many decimals as its currency has."""

    currency: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{3}$")]
    amount: Decimal = Field(ge=0, max_digits=12, decimal_places=MOST_DECIMALS)
    reference: Id
    booking_id: Id | None = None

    @field_validator("amount")
    @classmethod
    def _in_the_currencys_decimals(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        currency = info.data.get("currency")
        if currency and not fits(amount, currency):
            raise ValueError(f"may have at most {decimals_of(currency)} decimals in {currency}")
        return amount


class ClientUpdated(Payload):
    client_id: Id
    name: Name | None = None
    email: Name | None = None
    phone: Name | None = None
    before: dict[str, Any] | None = None


class CapacityUpdated(Payload):
    capacity: Count
    previous: Count | None = None
    before: Count | None = None
    reason: Text | None = None
    venue_name: Name | None = None
    booking_id: Id | None = None


class CapacityExceeded(Payload):
    capacity: Count
    guest_count: Count


class VenueWork(Payload):
    starts_at: Moment | None = None
    requirements: Text | None = None
    space: Name | None = None
    booking_id: Id | None = None


class EmergencyReported(Payload):
    """Never refused for what a hurried sender omits or writes wrongly; messages say what was not given.

    ``further``: in messages, other reports that came too soon to be told on their own.
    """

    kind: CutName | None = None
    description: CutText | None = None
    reported_by: CutName | None = None
    contact_phone: CutName | None = None
    venue_name: CutName | None = None
    booking_id: CutName | None = None
    wedding_assumed: bool | None = None
    further: list[Text] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_what_can_be_read(cls, said: Any) -> Any:
        """Treat a ``wedding_id`` that is not an id of ours as the sender's own id of the booking."""
        if not isinstance(said, Mapping):
            return said
        read = dict(said)
        named = read.get("wedding_id")
        if not is_blank(named) and not isinstance(named, UUID) and as_id(_as_text(named)) is None:
            del read["wedding_id"]
            if is_blank(read.get("booking_id")):
                read["booking_id"] = named
        if not is_blank(read.get("extra")) and not isinstance(read["extra"], Mapping):
            read["extra"] = {"extra": read["extra"]}
        return read


class DateChanged(Payload):
    date: Day
    previous: Day | None = None
    before: Day | None = None
    booking_id: Id | None = None


class FormSubmitted(Payload):
    form_id: UUID
    answers: dict[str, Any]


class MilestoneReached(Payload):
    milestone: Name
    progress: Annotated[int, Field(ge=0, le=100)] | Literal["done"]


class Custom(Payload):
    """A client's own type: any fields."""

    model_config = ConfigDict(extra="allow")
