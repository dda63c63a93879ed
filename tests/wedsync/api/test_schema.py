"""The API describes itself, completely, to whoever asks."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.wedsync.api.test_border import endpoints, shape
from wedsync.api.openapi.streams import HISTORY, STREAM


def test_every_endpoint_is_described(described: Any) -> None:
    shown = {
        (method, shape(path.removeprefix("/api/")))
        for path, methods in described["paths"].items()
        for method in methods
    }

    of_the_event_loop = {("get", shape(path.removeprefix("/api/"))) for path in (STREAM, HISTORY)}
    assert shown == {(method, shape(path)) for method, path in endpoints()} | of_the_event_loop


def test_each_says_what_it_does_which_key_it_needs_and_which_problems_it_answers(described: Any) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"apiKey": []}], path
            assert "Scope: `" in operation["description"]
            answers = operation["responses"]
            assert {"400", "401", "403", "503"} <= set(answers)
            assert ("404" in answers) == ("{" in path and (path, method) != (HISTORY, "get"))
            problems = [answer for code, answer in answers.items() if code >= "400"]
            assert all(set(answer["content"]) == {"application/problem+json"} for answer in problems)
            named = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert ("Idempotency-Key" in named) == (method == "post")


def test_no_stored_secret_is_part_of_an_answer(described: Any) -> None:
    shown = described["components"]["schemas"]

    assert "credentials" not in shown["SystemShape"]["properties"]
    assert "credentials" in shown["SystemShapeRequest"]["properties"]
    assert not any("sealed" in name or "hash" in name for part in shown.values() for name in part.get("properties", {}))


def test_the_description_and_its_page_need_no_key_and_nothing_from_elsewhere() -> None:
    client = Client()

    schema, page = client.get("/api/schema/"), client.get("/api/docs/")

    assert schema.status_code == page.status_code == 200
    assert "//" not in page.content.decode().replace("/static/", "").split("<body>")[0].split("<script")[0]
    assert "cdn" not in page.content.decode()
