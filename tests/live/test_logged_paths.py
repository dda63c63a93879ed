"""Paths that contain a secret, in the log of a real web process."""

import http.client
import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.live.world import World
from tests.polling import until
from wedsync import logs

PLACES = {"<str:token>": "{token}", "<uuid:wedding_id>": str(uuid4())}


def routes(patterns: Iterable[Any], before: str = "/") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, before + str(each.pattern))
        elif isinstance(each, URLPattern):
            yield before + str(each.pattern)


WITH_TOKENS = sorted({route for route in routes(get_resolver().url_patterns) if "token" in route})


def path_of(route: str) -> str:
    for place, value in PLACES.items():
        route = route.replace(place, value)
    assert "<" not in route, "tell PLACES what to put there"
    return route


def spellings(path: str) -> dict[str, str]:
    """The path as it is, and as a program may misspell it, by which it is no less a secret."""
    start, name, rest = path.partition("{token}")
    return {
        "whole": path,
        "without its end": start + name,
        "longer": f"{path.removesuffix('/')}/more/",
        "capitals": start.upper() + name + rest,
        "doubled": start.replace("/", "//") + name + rest,
        "escaped": start.replace("/", "%2F").replace("%2F", "/", 1) + name + rest,
    }


def test_every_page_of_a_link_is_asked_below() -> None:
    assert {route.split("<")[0] for route in WITH_TOKENS} == {
        "/acknowledge/", "/emergency/", "/unsubscribe/", "/couple/open/", "/couple/calendar/", "/couple/",
    }  # fmt: skip


@pytest.mark.parametrize("route", WITH_TOKENS)
def test_the_log_holds_neither_a_links_token_nor_a_query(world: World, route: str) -> None:
    token, name = f"t0k3n{uuid4().hex}{uuid4().hex}"[:43], f"path-{uuid4()}"
    paths = spellings(path_of(route))

    for number, path in enumerate(paths.values()):
        for method in ("GET", "HEAD", "POST"):
            connection = http.client.HTTPConnection("127.0.0.1", world.product.port, timeout=10)
            wanted = f"{path.format(token=token)}?ticket=a-secret-ticket"
            connection.request(method, wanted, headers={"X-Request-ID": f"{name}-{number}-{method}"})
            connection.getresponse().read()
            connection.close()

    def access() -> list[str]:
        lines = [json.loads(line) for line in world.product.log("web").splitlines() if name in line]
        found = [str(line["path"]) for line in lines if line["event"] == "request"]
        return found if len(found) == 3 * len(paths) else []

    found = until(access)
    assert all(logs.BLANK in path for path in found)
    assert token not in world.product.log("web")
    assert "a-secret-ticket" not in world.product.log("web")
