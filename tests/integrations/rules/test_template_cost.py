"""No template takes much memory or long, whatever it does with the texts that it is given."""

import tracemalloc

import pytest

from wedsync.templating import language, time_budget
from wedsync.templating.filters import CannotRender

LARGE = "x" * 60_000
MANY = ["1"] * 9_000
MOST_MEMORY = 30_000_000  # bytes; what is refused here took 300 MB


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(5000)|join(large) }}",
        "{{ many|map('upper')|join(large) }}",
        "{{ [large, large, large]|join }}",
        "{{ large" + "~large" * 1_400 + " }}",
        "{{ many|map('replace', '1', large)|list }}",
        "{{ many|map('replace', '1', large)|sort|length }}",
        "{{ many|map('replace', '1', large)|unique|list|length }}",
        "{{ many|map('replace', '1', large)|select('string')|list|length }}",
        "{% for each in many|map('replace', '1', large) %}{{ each }}{% endfor %}",
        "{{ large" + "+large" * 400 + " }}",
        "{% set a = [large] %}{% set a = a + a + a + a %}{{ a }}",
        "{{ large" * 1 + "|replace('x', large) }}",
    ],
)
def test_what_would_be_large_is_refused_before_it_is_made(template: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CannotRender):
            language.render(template, {"large": LARGE, "many": MANY})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MOST_MEMORY


@pytest.mark.parametrize("template", ["{{ a" + "~a" * 3_000 + " }}", "{% if a %}x{% endif %}" * 400 + "{{a}}" * 1_000])
def test_a_template_of_too_many_parts_is_refused_before_it_is_compiled(template: str) -> None:
    with pytest.raises(CannotRender, match="more than 3000 parts|longer than"):
        language.render(template * 2, {"a": "x"})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ [1, 2, 3]|join(', ') }}", "1, 2, 3"),
        ("{{ []|join(', ') }}", ""),
        ("{{ ['b', 'a']|map('upper')|sort|join }}", "AB"),
        ("{{ [1, 2, 3]|select('odd')|list|length }}", "2"),
        ("{{ [1, 1, 2]|unique|join('-') }}", "1-2"),
        ("{% for each in [3, 1]|map('string') %}{{ each }}.{% endfor %}", "3.1."),
    ],
)
def test_what_is_small_is_made(template: str, text: str) -> None:
    assert language.render(template, {}) == text


def test_within_a_bounded_piece_of_work_a_template_has_what_is_left_of_its_time() -> None:
    with time_budget.within(0), pytest.raises(CannotRender, match="longer than 0 s"):
        language.render("{% for each in range(2) %}x{% endfor %}", {})

    assert language.render("{% for each in range(2) %}x{% endfor %}", {}) == "xx"
