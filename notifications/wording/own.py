"""An organization's own templates, which take precedence over the shipped ones."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from notifications.models import MessageTemplate
from notifications.wording.languages import chain
from wedsync.live.event_types.catalogue import is_custom
from wedsync.live.models import ChannelEvent

_on_trial: ContextVar[tuple[str, str] | None] = ContextVar("a text on trial", default=None)


@contextmanager
def trial(name: str, text: str) -> Iterator[None]:
    """Write messages of this event type with this text alone, for a preview. Rendering it may fail."""
    token = _on_trial.set((name, text))
    try:
        yield
    finally:
        _on_trial.reset(token)


def on_trial(*names: str) -> str | None:
    """The text on trial, if it is for one of these names."""
    found = _on_trial.get()
    return found[1] if found and found[0] in names else None


def templates(organization_id: UUID, name: str) -> Mapping[tuple[str, str], str]:
    """The active templates for an event type, by locale and channel; an empty channel means all of them."""
    rows = MessageTemplate.objects.filter(organization_id=organization_id, event_type=name, active=True)
    return {(locale, channel): text for locale, channel, text in rows.values_list("locale", "channel", "text")}


def worded(event: ChannelEvent) -> Callable[[str, str], bool]:
    """Whether readers can be told of an event, by their locale and channel.

    Of a client's own type only if the organization has a template for it: nobody else knows what it says.
    """
    is_ours = not is_custom(event.type)
    mine = {} if is_ours else templates(event.organization_id, event.type)

    def is_worded(locale: str, channel: str) -> bool:
        return is_ours or any((tag, name) in mine for tag in chain(locale) for name in (channel, ""))

    return is_worded
