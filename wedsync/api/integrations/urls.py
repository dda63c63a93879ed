"""The URLs below ``/api/integrations/``."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter
from rest_framework.routers import SimpleRouter

from wedsync.api.integrations.channel_config import RouteViews
from wedsync.api.integrations.connections import ConnectionViews, SecretsView
from wedsync.api.integrations.deliveries import AttemptViews, DeliveryViews
from wedsync.api.integrations.events import EventViews
from wedsync.api.integrations.references import ReferenceViews
from wedsync.api.integrations.systems import SystemViews


class ConnectionId(StringConverter):
    """A connection's id, such as ``wsc_0a1B...``; a text with other characters is not an id and reaches no query."""

    regex = "[A-Za-z0-9_-]{1,40}"


register_converter(ConnectionId, "connection")
router = SimpleRouter(use_regex_path=False)
router.register("channel-config", RouteViews, basename="channel-config")
router.register("systems", SystemViews, basename="systems")
router.register("connections", ConnectionViews, basename="connections")
router.register("references", ReferenceViews, basename="references")
router.register("events", EventViews, basename="events")
router.register("deliveries", DeliveryViews, basename="deliveries")
router.register("attempts", AttemptViews, basename="attempts")

urlpatterns = [
    path("connections/<connection:connection_id>/secrets/", SecretsView.as_view(), name="connection-secrets"),
    path("", include(router.urls)),
]
