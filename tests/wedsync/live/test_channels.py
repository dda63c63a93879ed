"""Channel names and patterns."""

from uuid import uuid4

import pytest
from hypothesis import strategies as st

from wedsync.live import channels
from wedsync.live.event_types.catalogue import CATALOGUE, LINK_REQUESTED, Scope

SEGMENT = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("couple:dashboard:7", "couple:dashboard:7", True),
        ("couple:dashboard:7", "couple:dashboard:8", False),
        ("couple:*:7", "couple:dashboard:7", True),
        ("supplier:dashboard:{supplierId}", "supplier:dashboard:x", True),
        ("supplier:dashboard:{supplierId}", "supplier:photography:x", False),
        ("*:*:*", "a:b:c", True),
    ],
)
def test_a_pattern_covers_whole_segments(pattern: str, name: str, *, fits: bool) -> None:
    assert channels.matches(pattern, name) is fits


@pytest.mark.parametrize("name", ["", "a:b", "a:b:c:d", "a::c", "a:b:c d", "a:b:" + "x" * 65, "ä:b:c", "a:b:c\n"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="scope:entity:id"):
        channels.check_name(name)


@pytest.mark.parametrize("pattern", ["a:b", "a:b*:c", "a:{}:c", "a:{b:c", "**:b:c"])
def test_patterns_that_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        channels.check_pattern(pattern)


def test_a_template_takes_what_the_pattern_captured() -> None:
    assert channels.fill("form:mirror:{formId}", "form:response:{formId}", "form:response:77") == "form:mirror:77"


def test_every_event_type_appears_somewhere_and_only_on_well_formed_channels() -> None:
    ids = {"organization_id": uuid4(), "wedding_id": uuid4(), "source_system_id": uuid4(), "supplier_ids": [uuid4()]}
    for name in CATALOGUE:
        found = channels.names_for(name, payload={"form_id": str(uuid4())}, **ids)  # type: ignore[arg-type]
        assert found or name == LINK_REQUESTED  # only the contact is told
        assert [channels.check_name(each) for each in found] == sorted(found)


def test_only_emergencies_are_urgent_by_themselves() -> None:
    urgent = [entry for entry in CATALOGUE.values() if entry.priority == "urgent"]
    assert {entry.name for entry in urgent} == {
        "venue.emergency_reported", "incident.resolved", "incident.drill_started",
        "incident.wedding_unknown", "ops.self_test",
    }  # fmt: skip
    assert Scope.URGENT in urgent[0].scopes
