"""The page's service worker and its manifest: it opens like an app, and without a network shows what it last showed.

The worker is put together from parts, files below ``static/``. A part may use what an earlier one defines.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from uuid import UUID

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from wedsync.couple import sessions
from wedsync.couple.models import LinkSession
from wedsync.weddings import personal_links

PARTS: list[str] = ["couple/worker/offline.js", "couple/worker/push.js"]
"""The worker's parts, in order."""
KEPT = (
    "wedsync/tokens.css",
    "couple/couple.css",
    "couple/couple.js",
    "couple/push.js",
    "wedsync/logo.svg",
    "live/wedsync-live.js",
)
"""The files without which the page does not look or work as it should."""
ICONS = (("wedsync/icon-192.png", "192x192", "any"), ("wedsync/icon-512.png", "512x512", "any maskable"))


@require_safe
def worker(request: HttpRequest, wedding_id: UUID) -> HttpResponse:
    """The service worker. It holds nothing about the wedding, so it needs no session."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@cache
def _script() -> str:
    kept = json.dumps([static(name) for name in KEPT if finders.find(name)])
    parts = [Path(str(finders.find(name))).read_text(encoding="utf-8") for name in PARTS]
    return "\n".join(['"use strict";', f"const KEPT = {kept};", *parts])


def manifest(request: HttpRequest, session: LinkSession) -> HttpResponse:
    """What a home screen needs. It starts with the link itself, since an app may have cookies of its own."""
    wedding = session.link.wedding
    home = sessions.path_of(wedding.id)
    told = {
        "id": home,
        "name": wedding.couple,
        "short_name": wedding.couple[:30],
        "start_url": f"{home}start/{personal_links.token_of(session.link_id)}/",
        "scope": home,
        "display": "standalone",
        "background_color": "#fbf8f4",
        "theme_color": "#fbf8f4",
        "icons": [
            {"src": static(name), "sizes": size, "type": "image/png", "purpose": purpose}
            for name, size, purpose in ICONS
        ],
    }
    return JsonResponse(told, content_type="application/manifest+json")
