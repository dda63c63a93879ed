"""The states of systems' breakers, read without asking for admission: reading uses up no probe."""

from collections.abc import Sequence
from uuid import UUID

from integrations import admission
from integrations.models import System
from integrations.models.breaker_changes import BreakerState


def breaker_states(systems: Sequence[System]) -> dict[UUID, BreakerState]:
    """Each system's breaker, in one round trip; ``unknown`` for all if Redis does not answer in time."""
    views = admission.look([admission.lane_of(system) for system in systems])
    found = {system.id: views[str(system.id)] for system in systems}
    return {key: BreakerState(view.state.value) if view.known else BreakerState.UNKNOWN for key, view in found.items()}
