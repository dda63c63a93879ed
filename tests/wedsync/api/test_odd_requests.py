"""Whatever is sent, the answer is one of ours: nothing odd breaks an endpoint."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.factories import (
    ConnectionFactory,
    DeliveryFactory,
    EventFactory,
    ExternalReferenceFactory,
    FormFactory,
    RouteFactory,
    SystemFactory,
)
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.test_border import BY_ID, LISTS, endpoints, filled, ids, shape
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db
ODD: list[Any] = [None, [], {}, [{}], {"a": {"b": []}}, "", "x" * 30_000, "\u202e", -1, 10**30, 1e300]
ODD_QUERIES = [
    "",
    "x" * 3000,
    "\u202e",
    "-1",
    "1e999",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "NaN",
    "{}",
    "\x00",
]
CHANGES = sorted({(method, shape(path)) for method, path in endpoints() if method in {"post", "patch"}})


@pytest.fixture
def own(ours: Organization) -> dict[str, str]:
    """One of everything, of the caller's own."""
    system = SystemFactory(organization=ours)
    reference = ExternalReferenceFactory(organization=ours, system=system)
    rows = {
        "wedding": reference.wedding,
        "form": FormFactory(organization=ours),
        "system": system,
        "connection": ConnectionFactory(organization=ours, system=system),
        "reference": reference,
        "route": RouteFactory(organization=ours, system=system),
        "event": EventFactory(organization=ours),
        "delivery": DeliveryFactory(organization=ours),
    }
    return {name: str(row.pk) for name, row in rows.items()}


def check(answer: Any, sent: object) -> None:
    assert answer.status_code < 500, sent
    if answer.status_code >= 400:
        assert answer["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("/problems/")


def request_fields(described: Any, case: tuple[str, str]) -> dict[str, Any]:
    for path, methods in described["paths"].items():
        if shape(path.removeprefix("/api/")) == case[1] and case[0] in methods:
            content = methods[case[0]].get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            found: dict[str, Any] = described["components"]["schemas"].get(name, {}).get("properties", {})
            return found
    raise AssertionError(case)


@pytest.mark.parametrize("case", CHANGES, ids=ids)
def test_no_body_breaks_an_endpoint(
    api: Api,
    own: dict[str, str],
    described: Any,
    case: tuple[str, str],
) -> None:
    known = {(method, shape(path)): path for method, path in BY_ID}
    checks_fields = ("patch", f"{case[1]}*/") not in CHANGES  # else the change of a row tries its fields
    url = f"/api/{filled(known.get(case, case[1]), own)}"

    for value in ODD:
        check(api.send(case[0], url, value if not isinstance(value, str) else f'"{value}"'), value)
    for field in request_fields(described, case) if checks_fields else ():
        for value in ODD[::2]:
            check(api.send(case[0], url, {field: value}), (field, value))


@pytest.mark.parametrize("case", LISTS, ids=ids)
def test_no_query_breaks_a_list(api: Api, own: dict[str, str], described: Any, case: tuple[str, str]) -> None:
    shown = described["paths"][f"/api/{case[1]}"][case[0]]["parameters"]

    for parameter in shown:
        for value in ODD_QUERIES:
            check(api.get(f"/api/{case[1]}?{parameter['name']}={quote(value)}"), (parameter["name"], value))


@pytest.mark.parametrize("name", ["connections", "systems", "deliveries"])
@pytest.mark.parametrize("text", ["%00", "wsc_%00", "%F0%9F%92%8D", "x" * 500, "..", "%2e%2e%2f"])
def test_what_can_be_no_id_is_not_found(api: Api, ours: Organization, name: str, text: str) -> None:
    for url in (f"/api/integrations/{name}/{text}/", f"/api/integrations/{name}/{text}/secrets/"):
        answer = api.get(url)

        assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")
