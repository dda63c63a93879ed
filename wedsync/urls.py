"""All pages and endpoints; webhooks, probes and sockets are in wedsync/asgi.py."""

from django.contrib import admin
from django.urls import include, path

from wedsync.api.asyncapi.views import asyncapi
from wedsync.api.openapi.description import DocsPage, schema
from wedsync.api.probes.health import HealthView
from wedsync.api.weddings.forms import FormResponsesView
from wedsync.api.weddings.journey import JourneyView
from wedsync.api.weddings.wedding import WeddingView
from wedsync.console.listeners import end_listener, listeners
from wedsync.console.views import console, event_trace

handler404 = "wedsync.api.problems.not_found"
handler500 = "wedsync.api.middleware.refusals.our_fault"

urlpatterns = [
    path("", console, name="console"),
    path("events/<uuid:event_id>/", event_trace, name="event-trace"),
    path("listeners/", listeners, name="listeners"),
    path("listeners/<uuid:listener>/end/", end_listener, name="end-listener"),
    path("admin/", admin.site.urls),
    path("", include("notifications.urls")),
    path("couple/", include("wedsync.couple.urls")),
    path("api/integrations/health/", HealthView.as_view()),
    path("api/weddings/<uuid:wedding_id>/", WeddingView.as_view()),
    path("api/forms/<uuid:form_id>/responses/", FormResponsesView.as_view()),
    path("api/journey/", JourneyView.as_view()),
    path("api/channels/", include("wedsync.api.channels.urls")),
    path("api/integrations/", include("wedsync.api.integrations.urls")),
    path("api/", include("wedsync.api.people.urls")),
    path("api/schema/", schema, name="schema"),
    path("api/asyncapi/", asyncapi, name="asyncapi"),
    path("api/docs/", DocsPage.as_view(url_name="schema"), name="api-docs"),
]
