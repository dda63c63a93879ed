"""A client of the API with a key of its own organization, and a second organization that it must never meet."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from tests.factories import ApiKeyFactory
from wedsync.weddings.models import ApiKey, Organization


class Api(Client):
    """Speaks JSON, with a key."""

    def __init__(self, key: str, **options: Any) -> None:
        super().__init__(headers={"Authorization": f"Bearer {key}"}, **options)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """``headers``: by name, with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith(("/", "http")) else f"/api/integrations/{path}"
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(super(), method)(url, headers=named, **more)


@pytest.fixture
def key() -> Any:
    return ApiKeyFactory(key="wsk_ours")


@pytest.fixture
def ours(key: ApiKey) -> Organization:
    return key.organization


@pytest.fixture
def api(key: ApiKey) -> Api:
    return Api("wsk_ours")


@pytest.fixture(scope="session")
def described() -> Any:
    """Made as strictly as the tool can, and checked against OpenAPI's own schema."""
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return yaml.safe_load(out.getvalue())
