"""Pages that need no login, which a message's own link opens."""

from django.urls import path

from notifications.pages.acknowledge import acknowledge
from notifications.pages.choose_wedding import choose_wedding
from notifications.pages.unsubscribe import unsubscribe

urlpatterns = [
    path("acknowledge/<str:token>/", acknowledge, name="acknowledge"),
    path("emergency/<str:token>/", choose_wedding, name="choose-wedding"),
    path("unsubscribe/<str:token>/", unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>", unsubscribe),  # a redirect would turn a mail program's POST into a GET
]
