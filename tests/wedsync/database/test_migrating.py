"""Texts of fields change in the state of migrations, and nothing else does."""

from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.migrations import AlterField
from django.db.migrations.state import ModelState, ProjectState

from wedsync.database.migrating import AlterTexts


@pytest.fixture
def state() -> ProjectState:
    made = ProjectState()
    fields: dict[str, Any] = {
        "id": models.AutoField(primary_key=True),
        "name": models.CharField(max_length=20),
        "words": ArrayField(models.CharField(max_length=20, choices=[("a", "A")])),
    }
    made.add_model(ModelState("weddings", "Guest", fields))
    return made


def test_many_fields_get_their_texts_at_once(state: ProjectState) -> None:
    AlterTexts(
        [
            AlterField("guest", "name", models.CharField(max_length=20, help_text="As on the place card.")),
            AlterField("Guest", "words", ArrayField(models.CharField(max_length=20, choices=[("a", "A"), ("b", "B")]))),
        ]
    ).state_forwards("weddings", state)

    fields = state.models["weddings", "guest"].fields
    assert fields["name"].help_text == "As on the place card."
    assert dict(fields["words"].base_field.choices) == {"a": "A", "b": "B"}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("name", models.CharField(max_length=30)),
        ("name", models.TextField()),
        ("name", models.CharField(max_length=20, null=True)),
        ("words", ArrayField(models.CharField(max_length=30))),
    ],
)
def test_what_changes_in_the_database_is_refused(state: ProjectState, name: str, field: "models.Field") -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="use AlterField"):
        AlterTexts([AlterField("guest", name, field)]).state_forwards("weddings", state)
