"""An organization with a key, a couple with a link, a supplier."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import ApiKeyFactory, ContactFactory
from wedsync.weddings import personal_links
from wedsync.weddings.models import ApiKey, Contact, Organization, PersonalLink


@pytest.fixture
def key() -> Any:
    return ApiKeyFactory(key="wsk_clear")


@pytest.fixture
def organization(key: ApiKey) -> Organization:
    return key.organization


@pytest.fixture
def anna(organization: Organization) -> Any:
    return ContactFactory(organization=organization, role="couple", name="Anna")


@pytest.fixture
def supplier(anna: Contact) -> Any:
    return ContactFactory(organization=anna.organization, wedding=anna.wedding, role="photographer")


@pytest.fixture
def link(anna: Contact) -> PersonalLink:
    return personal_links.issue(anna)
