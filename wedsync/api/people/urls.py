"""The URLs below ``/api/`` about people."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from wedsync.api.people.incidents import IncidentViews
from wedsync.api.people.notifications import NotificationViews
from wedsync.api.people.preferences import PreferencesView

router = SimpleRouter(use_regex_path=False)
router.register("incidents", IncidentViews, basename="incidents")
router.register("notifications", NotificationViews, basename="notifications")

urlpatterns = [
    path("contacts/<uuid:contact_id>/preferences/", PreferencesView.as_view()),
    path("", include(router.urls)),
]
