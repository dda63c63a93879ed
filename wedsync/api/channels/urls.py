"""``/api/channels/``. Reading a channel's events is served on the event loop, not here."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from wedsync.api.channels.events import EventsView
from wedsync.api.channels.presence import PresenceView
from wedsync.api.channels.seen import SeenView
from wedsync.api.channels.tickets import TicketsView
from wedsync.wire.channel_names import NAME


class ChannelName(StringConverter):
    """A live channel's name in a URL."""

    regex = NAME.pattern


register_converter(ChannelName, "channel")

urlpatterns = [
    path("tickets/", TicketsView.as_view()),
    path("<channel:name>/events/", EventsView.as_view()),
    path("<channel:name>/presence/", PresenceView.as_view()),
    path("<channel:name>/seen/", SeenView.as_view()),
]
