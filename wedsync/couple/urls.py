"""The couple's page: what a personal link opens, and what the page asks for."""

from django.urls import path
from django.views.decorators.http import require_safe

from wedsync.couple import calendar, entrance, push, service_worker, views

urlpatterns = [
    path("open/<str:token>/", entrance.open_link, name="couple-open"),
    path("new/", entrance.ask_for_new, name="couple-new"),
    path("calendar/<str:token>.ics", calendar.calendar, name="couple-ics"),
    path("<uuid:wedding_id>/", views.page, name="couple"),
    path("<uuid:wedding_id>/start/<str:token>/", entrance.start, name="couple-start"),
    path("<uuid:wedding_id>/parts/", views.parts, name="couple-parts"),
    path("<uuid:wedding_id>/ticket/", views.ticket, name="couple-ticket"),
    path("<uuid:wedding_id>/seen/", views.seen, name="couple-seen"),
    path("<uuid:wedding_id>/push/", push.push, name="couple-push"),
    path("<uuid:wedding_id>/acknowledge/", views.acknowledge, name="couple-acknowledge"),
    path("<uuid:wedding_id>/language/", views.language, name="couple-language"),
    path("<uuid:wedding_id>/calendar/", views.calendar_page, name="couple-calendar"),
    path(
        "<uuid:wedding_id>/app.webmanifest",
        require_safe(views.of_session(service_worker.manifest)),
        name="couple-manifest",
    ),
    path("<uuid:wedding_id>/worker.js", service_worker.worker, name="couple-worker"),
]
