"""(c) A plain Django view: HMAC, one ``Model.objects.create``, 202. A whole project in one file, for gunicorn."""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from bench.ingest.baselines.signed import is_signed
from wedsync.database.connection_settings import database

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": database(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}},
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["WEDSYNC_DJANGO_SECRET_KEY"],
    USE_TZ=True,
)
django.setup()


class Stored(models.Model):
    """A row of (c)."""

    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)
    objects: models.Manager["Stored"] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "django_view"

    def __str__(self) -> str:
        return f"row {self.pk}"


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponseBase:
    """Accept one webhook; a ``GET`` is answered once the server is ready."""
    if request.method != "POST":
        return JsonResponse({"status": "ready"})
    if not is_signed(request.headers.get("X-Venue-Signature", "").encode(), request.body):
        return JsonResponse({"status": "refused"}, status=401)
    Stored.objects.create(body=request.body)
    return JsonResponse({"status": "accepted"}, status=202)


urlpatterns = [re_path("", receive)]
application = get_wsgi_application()
