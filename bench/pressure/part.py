"""What a part of the program found: figures, each beside what is required of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure. ``required``: in words; ``holds``: whether it is kept, ``None`` if nothing is required."""

    what: str
    required: str
    measured: str
    holds: bool | None


@dataclass
class Part:
    """The figures of one part, in the order in which they are printed.

    Arguments:
        ratios: those that belong among the program's ratios.
        details: what else is written to the results.
    """

    name: str
    figures: list[Figure] = field(default_factory=list)
    ratios: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def at_most(self, what: str, limit: float, measured: float, unit: str = "") -> None:
        """A figure that must not exceed a limit."""
        self.figures.append(Figure(what, f"at most {limit:g}{unit}", f"{measured:.4g}{unit}", measured <= limit))

    def ratio_at_most(self, name: str, what: str, limit: float, measured: float) -> None:
        """A ratio that must not exceed a limit."""
        self.at_most(what, limit, measured)
        self.ratios[name] = round(measured, 3)

    def equal(self, what: str, required: object, measured: object) -> None:
        """A figure that must be exactly this."""
        self.figures.append(Figure(what, str(required), str(measured), measured == required))

    def note(self, what: str, measured: str) -> None:
        """A figure of which nothing is required."""
        self.figures.append(Figure(what, "", measured, None))
