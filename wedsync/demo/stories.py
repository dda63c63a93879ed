"""The four stories: what is done from outside, and who must be told on which channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from wedsync.demo.outside import Outside

LIVE, SYSTEM, WHATSAPP, SLACK, EMAIL = "live", "system", "whatsapp", "slack", "email"
VENUE = "Seehof am Attersee"
PHONE = "+12025550104"

COUPLE = ("Anna Gruber", "Ben Hofer")
PHOTOGRAPHER = "Mia Lang"
VENUE_MANAGER = "Tom Berger"
CATERER = "Lena Wagner"
COORDINATOR = "Clara Moser"
BAND = "Kofi Steiner"
SUPPLIERS = (PHOTOGRAPHER, VENUE_MANAGER, CATERER, BAND)
EVERYBODY = (*COUPLE, *SUPPLIERS, COORDINATOR)


@dataclass(frozen=True)
class Expected:
    """One expected arrival.

    Arguments:
        target: a person's name, a Slack channel, a system's name, or for ``live`` one of ``channel_names``.
        holds: what the message, or the frame's payload, must contain.
        html: whether the HTML must contain it too.
    """

    step: str
    channel: str
    target: str
    event_type: str
    priority: str
    holds: tuple[str, ...]
    html: bool = False


@dataclass(frozen=True)
class Story:
    """``begin`` carries the story out, and may return the id of the event it caused."""

    name: str
    begin: Callable[[Outside], str | None]
    expected: Sequence[Expected]


def channel_names(outside: Outside) -> dict[str, str]:
    """The live channels that the stories check, by the stories' own words for them."""
    named = outside.facts["channels"]
    return {
        "couple's dashboard": named["couple"],
        "supplier's dashboard": named["supplier"],
        "photography": named["photography"],
        "wedding day": named["urgent"],
        "form's responses": f"form:response:{outside.facts['form']['id']}",
    }


def stories(outside: Outside) -> list[Story]:
    """All four stories for this copy's wedding, in order."""
    wedding_date = date.fromisoformat(outside.facts["wedding"]["date"])
    return [_timeline(), _capacity(), _emergency(), _date_change(wedding_date + timedelta(days=7))]


def _each(example: Expected, targets: Sequence[str]) -> list[Expected]:
    return [replace(example, target=target) for target in targets]


def _timeline() -> Story:
    def begin(outside: Outside) -> None:
        outside.api("PATCH", f"/api/weddings/{outside.facts['wedding']['id']}/", {"ceremony_time": "16:00"})

    live = Expected("shown live", LIVE, "", "timeline.updated", "high", ('"after": "16:00"',))
    told = replace(live, step="told the new times", channel=WHATSAPP, holds=("15:00", "16:00", VENUE))
    called = replace(live, step="timeline updated", channel=SYSTEM, target="Studio Cloud")
    return Story(
        "1 Timeline",
        begin,
        [
            *_each(live, ["couple's dashboard", "photography", "supplier's dashboard"]),
            replace(called, holds=("POST /bookings/timeline", '"item": "ceremony_time"', '"to": "16:00"')),
            *_each(told, SUPPLIERS),
        ],
    )


def _capacity() -> Story:
    def begin(outside: Outside) -> str:
        return outside.venue_webhook("capacity.updated", {"max_capacity": 180, "previous": 150})

    live = Expected("shown live", LIVE, "", "venue.capacity_updated", "high", ('"capacity": 180',))
    told = replace(live, step="told the capacity", channel=WHATSAPP, holds=(VENUE, "180"))
    return Story(
        "2 Capacity",
        begin,
        [
            *_each(live, ["supplier's dashboard", "couple's dashboard"]),
            *_each(told, COUPLE),
            replace(told, channel=SLACK, target="#catering"),
        ],
    )


def _emergency() -> Story:
    description = "The hall and the kitchen are dark"
    report = {
        "kind": "power_outage",
        "description": description,
        "reported_by": VENUE_MANAGER,
        "contact_phone": PHONE,
    }

    def begin(outside: Outside) -> str:
        return outside.venue_webhook("emergency.reported", report)

    live = Expected("shown live", LIVE, "", "venue.emergency_reported", "urgent", (description,))
    told = replace(live, step="alerted", channel=WHATSAPP, holds=("EMERGENCY", description, PHONE))
    return Story(
        "3 Emergency",
        begin,
        [
            *_each(live, ["wedding day", "couple's dashboard", "supplier's dashboard"]),
            *_each(told, EVERYBODY),
            replace(told, channel=SLACK, target="#wedding-coordination", holds=("<!channel>", *told.holds)),
            *_each(replace(told, channel=EMAIL, html=True, holds=(description, VENUE_MANAGER, PHONE)), EVERYBODY),
        ],
    )


def _date_change(new: date) -> Story:
    answers = {"new_date": new.isoformat(), "reason": "Storm warning"}

    def begin(outside: Outside) -> str:
        form = outside.facts["form"]["id"]
        return str(outside.api("POST", f"/api/forms/{form}/responses/", {"answers": answers})["id"])

    shown = f"{new.day} {new:%B} {new.year}"
    moved = Expected("shown live", LIVE, "", "wedding.date_changed", "high", (new.isoformat(),))
    filled = replace(moved, event_type="form.submitted", priority="normal")
    told = replace(moved, step="told the new date", channel=WHATSAPP, holds=("has a new date", shown))
    booking = ('"item": "shoot_date"', f'"to": "{new.isoformat()}"')
    form = replace(filled, step="told of the form", channel=SLACK, target="#planning")
    form = replace(form, holds=("A form was submitted", new.isoformat()))
    return Story(
        "4 Date change",
        begin,
        [
            *_each(moved, ["couple's dashboard", "supplier's dashboard"]),
            replace(filled, target="form's responses"),
            replace(moved, step="booking updated", channel=SYSTEM, target="Studio Cloud", holds=booking),
            *_each(told, SUPPLIERS),
            replace(told, channel=SLACK, target="#planning"),
            form,
            *_each(replace(told, step="sent a confirmation", channel=EMAIL, html=True), COUPLE),
            replace(form, step="sent a confirmation", channel=EMAIL, target=COORDINATOR, html=True),
        ],
    )
