"""The dashboard that staff look at."""

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@staff_member_required
def console(request: HttpRequest) -> HttpResponse:
    """What comes in and goes out, live."""
    return render(request, "console/console.html")
