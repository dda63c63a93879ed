"""Pages that are opened by a link in a message."""

from django.urls import path

from notifications.pages.acknowledge import acknowledge

urlpatterns = [
    path("acknowledge/<str:token>/", acknowledge, name="acknowledge"),
]
