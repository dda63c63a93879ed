"""The wedding day, in the venue's zone. docs/architecture.md, "Priority"."""

from datetime import UTC, datetime, time, timedelta

from wedsync.weddings.models import Wedding

NEXT_MORNING = time(6)
AFTER_RECEPTION = timedelta(hours=2)


def bounds(wedding: Wedding) -> tuple[datetime, datetime]:
    """Start and end, half-open: 00:00 of the date to 06:00 of the next day, or the reception's end + 2 h if later.

    The end of a reception is an instant, so two real hours are added to it, not two on the wall clock.
    """
    zone = wedding.zone
    tomorrow = wedding.date + timedelta(days=1)
    start = datetime.combine(wedding.date, time.min, zone)
    end = datetime.combine(tomorrow, NEXT_MORNING, zone)
    closing = reception_end(wedding)
    if closing is None:
        return start, end
    return start, max(end, closing + AFTER_RECEPTION, key=datetime.timestamp)


def reception_end(wedding: Wedding) -> datetime | None:
    """The instant at which the reception ends; on the next day if its end is earlier than its start."""
    if wedding.reception_end is None:
        return None
    begins = wedding.reception_time or wedding.ceremony_time or time(12)
    past_midnight = wedding.reception_end <= begins
    day = wedding.date + timedelta(days=1) if past_midnight else wedding.date
    # A round trip through UTC, so that adding hours later counts real ones.
    return datetime.fromtimestamp(datetime.combine(day, wedding.reception_end, wedding.zone).timestamp(), UTC)


def is_wedding_day(wedding: Wedding, at: datetime) -> bool:
    """Whether ``at`` (aware) is within the wedding day."""
    start, end = bounds(wedding)
    return start.timestamp() <= at.timestamp() < end.timestamp()
