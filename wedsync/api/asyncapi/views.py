"""``/api/asyncapi/``: the description as a page, and as YAML or JSON for programs."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wedsync.api.asyncapi.document import SOCKET, STREAM, document
from wedsync.api.problems import problem_response

FORMAT = "format"
MEDIA_TYPES = {"yaml": "application/yaml", "json": "application/json", "html": "text/html"}
KEPT_FOR = 300  # seconds


def asyncapi(request: HttpRequest) -> HttpResponse:
    """The page for a browser; else JSON if ``Accept`` says so, else YAML. ``?format=`` chooses."""
    if request.method not in {"GET", "HEAD"}:
        refused = problem_response(405, "method-not-allowed", "The description is read-only.")
        refused["Allow"] = "GET, HEAD"
        return refused
    asked = request.GET.get(FORMAT) or _accepted(request.headers.get("Accept", ""))
    if set(request.GET) - {FORMAT} or asked not in MEDIA_TYPES:
        return problem_response(400, "unknown-filter", "The only parameter is format: html, yaml or json.")
    if asked == "html":
        answer = render(request, "api/asyncapi.html", _shown(settings.PUBLIC_URL))
    else:
        answer = HttpResponse(written(settings.PUBLIC_URL, asked), content_type=MEDIA_TYPES[asked])
        answer["Content-Disposition"] = f'inline; filename="WedSync-live.{asked}"'
    answer["Cache-Control"] = f"public, max-age={KEPT_FOR}"
    answer["Vary"] = "Accept"
    return answer


@lru_cache(maxsize=4)
def written(url: str, kind: str) -> str:
    """The description of a copy at this URL, as ``yaml`` or ``json``."""
    made = document(url)
    if kind == "json":
        return json.dumps(made)
    return yaml.dump(made, Dumper=_WithoutAnchors, sort_keys=False, allow_unicode=True, width=110)


class _WithoutAnchors(yaml.SafeDumper):
    """Writes what is used twice twice, and texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never refer to another place."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_WithoutAnchors.add_representer(str, _text)


def _accepted(accept: str) -> str:
    return next((kind for kind in ("html", "json") if kind in accept), "yaml")


@lru_cache(maxsize=1)
def _shown(url: str) -> dict[str, Any]:
    """What the page shows."""
    made = document(url)
    server, socket = made["servers"][SOCKET], made["channels"][SOCKET]
    stream = made["servers"][STREAM]
    schemas = made["components"]["schemas"]
    messages = made["components"]["messages"]
    return {
        "title": made["info"]["title"],
        "about": [" ".join(each.replace("`", "").split()) for each in made["info"]["description"].split("\n\n")],
        "address": f"{server['protocol']}://{server['host']}{socket['address']}",
        "stream": f"{stream['protocol']}://{stream['host']}{made['channels'][STREAM]['address']}",
        "subprotocol": socket["x-subprotocol"],
        "operations": [
            {
                "name": name,
                "summary": each["summary"],
                "request": json.dumps(messages[name]["examples"][0]["payload"]),
                "answer": json.dumps(messages[f"{name}.answer"]["examples"][0]["payload"]),
            }
            for name, each in made["operations"].items()
            if each["action"] == "receive"
        ],
        "schemas": {name: json.dumps(schema, indent=2, ensure_ascii=False) for name, schema in schemas.items()},
        "errors": schemas["error"]["properties"]["code"]["enum"],
        "closings": socket["x-close-codes"],
    }
