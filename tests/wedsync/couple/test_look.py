"""The design tokens: readable in light and dark, and all that the page uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wedsync

ROOT = Path(wedsync.__file__).parent
TOKENS = (ROOT / "static/wedsync/tokens.css").read_text()
PAGE = (ROOT / "couple/static/couple/couple.css").read_text()
GROUNDS = ("paper", "panel", "tint")
LEAST_TEXT, LEAST_CONTROL = 4.5, 3.0


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--ws-([a-z-]+): (#[0-9a-f]{6});", css))


LIGHT_PART, DARK_PART = TOKENS.split("@media (prefers-color-scheme: dark)")
LIGHT = colours(LIGHT_PART)
DARK = LIGHT | colours(DARK_PART)


def luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


PAIRS = [
    *((text, ground) for text in ("ink", "quiet", "accent", "accent-strong") for ground in GROUNDS),
    *((text, ground) for text in ("good", "warn", "alarm") for ground in (*GROUNDS, f"{text}-tint")),
    ("ink", "alarm-tint"), ("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-alarm", "alarm"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(scheme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(scheme[text], scheme[ground]) >= LEAST_TEXT


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_controls_can_be_seen(scheme: dict[str, str], ground: str) -> None:
    assert contrast(scheme["edge"], scheme[ground]) >= LEAST_CONTROL


def test_every_colour_has_its_dark_form() -> None:
    assert set(colours(DARK_PART)) == set(LIGHT)


def test_the_page_takes_every_colour_and_font_from_the_tokens() -> None:
    assert not re.search(r":[^;{}]*#[0-9a-fA-F]{3,8}\b", PAGE)
    assert not re.search(r"(rgb|hsl|oklch)a?\(", PAGE)
    assert set(re.findall(r"var\(--ws-([a-z0-9-]+)\)", PAGE)) <= set(re.findall(r"--ws-([a-z0-9-]+):", TOKENS))
