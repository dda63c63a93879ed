"""What a key may do, until when, and when it was used."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import ApiKeyFactory
from tests.wedsync.api.conftest import Api
from tests.wedsync.api.test_border import endpoints, filled, unknown
from wedsync.weddings.models import ApiKey, ApiScope, Organization

pytestmark = pytest.mark.django_db
NOBODY = unknown(dict.fromkeys(["wedding_id", "form_id", "connection_id", "contact_id", "pk", "name"], ""))


def needed(method: str, path: str) -> str:
    """The scope that docs/developers/api.md names."""
    reads = method == "get"
    part = path.split("/")[1 if path.startswith("integrations/") else 0]
    match part:
        case "weddings" | "forms" | "journey":
            return "events:read" if reads else "events:write"
        case "events":
            return "events:read"
        case "channels":
            return {"events": "live:publish", "presence": "live:presence", "seen": "live:seen"}.get(
                path.split("/")[2], "live:read"
            )
        case "attempts":
            return "deliveries:read"
        case "incidents":
            return "events:read" if reads else "events:write"
        case "notifications":
            return "deliveries:read"
        case "contacts":
            return "config:read" if reads else "config:write"
        case "deliveries":
            return "deliveries:read" if reads else "deliveries:write"
        case "health":
            return "health:read"
        case "channel-config" | "systems" | "connections" | "references":
            return "config:read" if reads or path.endswith("dry-run/") else "config:write"
    raise AssertionError(f"no scope is known for {path}")


def url(path: str) -> str:
    for kind in ("uuid", "connection", "channel"):
        path = path.replace(f"<{kind}:", "{").replace(">", "}")
    return f"/api/{filled(path, NOBODY)}"


@pytest.mark.parametrize(("method", "path"), sorted(endpoints()))
def test_each_endpoint_is_open_to_its_scope_and_to_no_other(ours: Organization, method: str, path: str) -> None:
    scope = needed(method, path)
    ApiKeyFactory(organization=ours, key="wsk_all_but", scopes=[name for name in ApiScope.values if name != scope])
    ApiKeyFactory(organization=ours, key="wsk_only", scopes=[scope])

    refused, let_in = (Api(f"wsk_{key}").send(method, url(path), {}) for key in ("all_but", "only"))

    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/scope-missing")
    assert refused.json()["scope"] == scope
    assert let_in.status_code not in {401, 403}


@pytest.mark.parametrize(("method", "path"), sorted(endpoints()))
def test_each_endpoint_asks_for_a_key(method: str, path: str) -> None:
    answer = Api("wsk_nobody's").send(method, url(path), {})

    assert (answer.status_code, answer["content-type"]) == (401, "application/problem+json")


def test_an_unknown_scope_is_never_stored(key: ApiKey) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(id=key.id).update(scopes=["everything"])


def test_a_key_without_named_scopes_may_do_everything(ours: Organization) -> None:
    row, _ = ApiKey.issue(ours, "all")

    assert set(row.scopes) == set(ApiScope.values)


def test_the_last_use_is_noted_once_a_minute(api: Api, key: ApiKey, django_assert_num_queries: Any) -> None:
    api.send("get", "systems/")
    key.refresh_from_db()
    first = key.last_used_at
    assert first

    with django_assert_num_queries(2):
        api.send("get", "systems/")
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    api.send("get", "systems/")

    key.refresh_from_db()
    assert key.last_used_at > first


def test_a_refused_key_writes_nothing(key: ApiKey) -> None:
    from django.db import connection

    ApiKey.objects.update(expires_at=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        assert Api("wsk_ours").send("get", "systems/").status_code == 401

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
