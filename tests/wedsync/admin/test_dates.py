"""Dates that staff type are ISO or picked; none is ever guessed."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import model_to_dict
from django.test import Client, RequestFactory

from integrations.admin.system_buttons import DayForm
from tests.wedsync.admin.conftest import House, page
from wedsync.weddings.models import Wedding
from wedsync.weddings.tenant_admin.access import Role
from wedsync.weddings.tenant_admin.forms import DATE_TYPED

SignIn = Callable[..., Client]
pytestmark = pytest.mark.django_db
GUESSED = [
    "12/06/2027",
    "06/12/2027",
    "12.06.2027",
    "12-06-2027",
    "20270612",
    "June 12, 2027",
    "12 Jun 2027",
    "12/06/27",
]


def fields() -> list[tuple[str, forms.Field]]:
    """Every field of the admin and of its buttons that takes a day, by name."""
    request = RequestFactory().get("/")
    found: list[tuple[str, forms.Field | None]] = [
        (f"DayForm.{name}", each) for name, each in DayForm.base_fields.items()
    ]
    for model, pages in admin.site._registry.items():
        days = [each for each in model._meta.fields if isinstance(each, models.DateField) and each.editable]
        found += [(f"{model.__name__}.{each.name}", pages.formfield_for_dbfield(each, request)) for each in days]
    return [(name, each) for name, each in found if isinstance(each, forms.DateField | forms.SplitDateTimeField)]


def test_no_form_takes_a_date_that_could_be_another() -> None:
    known = fields()

    assert {"Wedding.date", "DayForm.date", "ApiKey.expires_at"} <= {name for name, _ in known}
    for name, field in known:
        for text in GUESSED:
            given: Any = [text, "10:00"] if isinstance(field, forms.SplitDateTimeField) else text
            with pytest.raises(ValidationError):
                field.clean(given)
                pytest.fail(f"{name} takes {text}")
        iso: Any = ["2027-06-12", "10:00"] if isinstance(field, forms.SplitDateTimeField) else "2027-06-12"
        cleaned = field.clean(iso)
        assert (cleaned.year, cleaned.month, cleaned.day) == (2027, 6, 12)


def test_a_guessed_date_of_a_wedding_is_refused_and_the_field_says_how_to_write_it(
    ours: House, sign_in: SignIn
) -> None:
    client, wedding = sign_in(ours, role=Role.PLANNER), ours.rows[Wedding]
    values = {name: value for name, value in model_to_dict(wedding).items() if value is not None}
    values |= {"contacts-TOTAL_FORMS": 0, "contacts-INITIAL_FORMS": 0}

    refused = client.post(page(Wedding, "change", wedding.pk), {**values, "date": "12/06/2027"})

    assert refused.context["adminform"].form.errors["date"] == [DATE_TYPED]
    wedding.refresh_from_db()
    assert wedding.date != date(2027, 12, 6)
    shown = client.get(page(Wedding, "change", wedding.pk)).content.decode()
    assert f'value="{wedding.date.isoformat()}"' in shown
    assert "weddings/dates_in_words.js" in shown
