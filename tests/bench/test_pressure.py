"""The bench of misuse and deploys in its smallest form: what it counts and how it judges, no speed."""

import pytest

from bench.ground import Facts, Ground
from bench.pressure.__main__ import measure
from bench.pressure.deploy import worst_second
from bench.pressure.odd import bound
from bench.pressure.odd_inputs import INPUTS
from bench.pressure.part import Part
from bench.pressure.sizes import SMALL
from bench.pressure.turnover import growth


def played(name: str, ground: Ground, facts: Facts) -> Part:
    part = measure(name, ground, facts, SMALL, lambda _: None)
    assert holds(part)["tracebacks"]
    return part


def holds(part: Part) -> dict[str, bool | None]:
    return {each.what: each.holds for each in part.figures}


def test_sockets_that_never_read_are_closed_as_slow(ground: Ground, facts: Facts) -> None:
    part = played("unread", ground, facts)

    assert holds(part)["sockets closed, by code"]
    assert holds(part)["events that the others missed"]
    assert set(part.ratios) == {"unread_memory", "unread_p99"}


def test_sockets_that_come_and_go_are_counted(ground: Ground, facts: Facts) -> None:
    part = played("turnover", ground, facts)

    assert holds(part)["sockets that came and went"]
    assert holds(part)["sockets of which the process has logged the end"]
    assert len(part.details["mebibytes"]) == SMALL.turnover / SMALL.step


@pytest.mark.timeout(180)
def test_each_odd_input_ends_with_its_code(ground: Ground, facts: Facts) -> None:
    part = played("odd", ground, facts)

    assert {name: holds(part)[name] for name in (each.name for each in INPUTS)} == {each.name: True for each in INPUTS}
    assert holds(part)["events that the others missed"]


def test_at_a_deploy_clients_move_and_miss_nothing(ground: Ground, facts: Facts) -> None:
    part = played("deploy", ground, facts)

    assert holds(part) | {"clients that saw 1006": True, "events missed": True, "webhooks, by status": True} == holds(
        part
    )
    assert any(each.what == "events of each client" and int(each.measured) > 0 for each in part.figures)


def test_the_worst_second_begins_at_any_moment() -> None:
    assert worst_second([]) == 0
    assert worst_second([1.0, 1.9, 2.1, 2.85, 3.2, 9.0]) == 3


def test_growth_is_of_the_first_third_and_a_bound_of_the_larger() -> None:
    assert growth([100.0, 200.0, 999.0, 999.0, 999.0, 165.0]) == 1.1
    assert bound(10) == 50
    assert bound(100) == 150
