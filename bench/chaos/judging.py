"""The rules that answers, rows and targets must fulfil. Pure, so that the judge itself can be tested."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.chaos.ledger import KEPT, NOTHING, Arrival, Delivery, Event, Ledger
from bench.reconcile.sending import Sent

SILENT = frozenset({"unchanged", "stale"})
"""Effects of events that tell nothing new, and so go to nobody."""

COUNTS = ("accepted", "deliveries", "delivered", "held", "dead", "left_out", "lost", "duplicates", "explained")


@dataclass
class Verdict:
    """The ends of some requests' deliveries, and broken rules. ``lost``: deliveries, or events without any."""

    accepted: int = 0
    deliveries: int = 0
    delivered: int = 0
    held: int = 0
    dead: int = 0
    left_out: int = 0
    lost: int = 0
    duplicates: int = 0
    explained: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return not self.wrong

    def __add__(self, other: "Verdict") -> "Verdict":
        """Both together."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        return Verdict(**counts, wrong=self.wrong + other.wrong, examples=self.examples | other.examples)

    def break_rule(self, rule: str, example: str, *, lost: bool = False) -> None:
        """Note a broken rule with its first example; ``lost``: something does not arrive."""
        self.wrong[rule] += 1
        self.lost += lost
        self.examples.setdefault(rule, example)


def judge(
    sent: Mapping[str, Sent], ledger: Ledger, targets: Mapping[str, Sequence[str]], *, deaths: bool = False
) -> Verdict:
    """Follow each request to its end.

    Arguments:
        targets: the systems that each event type goes to.
        deaths: whether deliveries may die of the fault; otherwise a dead one is wrong, even with a cause.
    """
    verdict = Verdict()
    for external_id, told in sent.items():
        verdict.accepted += told.taken
        event = ledger.events.get(external_id)
        if event is None:
            if told.taken:
                verdict.break_rule("answered 202, but no event is stored", external_id, lost=True)
        else:
            if told.event_ids - {event.id}:
                verdict.break_rule("an answer names another event than the stored one", external_id)
            _follow(verdict, event, ledger.arrivals, targets, deaths=deaths)
    for log in ledger.logs:
        if not log.whole:
            verdict.break_rule("a channel's sequences have a gap, or its counter is wrong", log.name)
    return verdict


def _follow(
    verdict: Verdict,
    event: Event,
    arrivals: Mapping[str, Arrival],
    targets: Mapping[str, Sequence[str]],
    *,
    deaths: bool,
) -> None:
    if event.routing != "routed":
        verdict.break_rule(f"an event is not routed but {event.routing}", event.id, lost=True)
    made = Counter(delivery.system for delivery in event.deliveries)
    for system in () if event.effect in SILENT or event.routing != "routed" else targets[event.type]:
        if not made[system]:
            verdict.break_rule("an event lacks a delivery that its routes request", event.id, lost=True)
    for system, count in made.items():
        if count > 1:
            places = "; ".join(delivery.place for delivery in event.deliveries if delivery.system == system)
            verdict.break_rule("an event has two deliveries to one system", f"{event.id} to {system}: {places}")
    for delivery in event.deliveries:
        verdict.deliveries += 1
        arrival = arrivals.get(delivery.id, NOTHING)
        _end(verdict, delivery, arrival, deaths=deaths)
        _repetitions(verdict, delivery, arrival)


def _end(verdict: Verdict, delivery: Delivery, arrival: Arrival, *, deaths: bool) -> None:
    shown = f"{delivery.id} ({delivery.state}, {delivery.reason or 'no cause'})"
    if delivery.state == "succeeded":
        verdict.delivered += 1
        if not arrival.taken:
            verdict.break_rule("a delivery counts as succeeded, but its target never accepted it", shown, lost=True)
    elif delivery.state == "held" and delivery.reason in KEPT:
        verdict.held += 1
    elif delivery.state == "dead" and delivery.reason:
        verdict.dead += 1
        if not deaths:
            verdict.break_rule(f"a delivery died of {delivery.reason}, though it could have arrived", shown, lost=True)
    elif delivery.state in {"cancelled", "skipped"} and delivery.reason:
        verdict.left_out += 1
    else:
        verdict.break_rule("a delivery has not ended, or ended without a cause", shown, lost=True)


def _repetitions(verdict: Verdict, delivery: Delivery, arrival: Arrival) -> None:
    """A target may see a request again for each attempt of unknown outcome, but never with other bytes."""
    more = max(0, arrival.taken - 1)
    verdict.duplicates += more
    explained = min(more, delivery.unknown)
    verdict.explained += explained
    if more > explained:
        verdict.break_rule(
            "a target got a request again, with no attempt of unknown outcome",
            f"{delivery.id}: {arrival.taken} times, {delivery.unknown} unknown",
        )
    if arrival.bodies > 1:
        verdict.break_rule("a target got other bytes under the same key", delivery.id)
