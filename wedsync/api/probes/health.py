"""``GET /api/integrations/health/``: how the organization's systems and queues are doing."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.health.report import Health, SystemHealth, report
from integrations.models import Alert
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.probes.shapes import HealthShape
from wedsync.weddings.models import ApiScope


class HealthView(Scoped):
    """The health of the caller's organization."""

    read_scope = ApiScope.HEALTH_READ

    @extend_schema(responses=HealthShape)
    def get(self, request: Request) -> Response:
        """Always 200, even when everything fails: the body says so."""
        return Response(as_json(report(client_of(request).organization.id)))


def as_json(health: Health) -> dict[str, Any]:
    """Health as the API shows it."""
    return {
        "status": health.status.value,
        "score": health.score,
        "why": health.why,
        "taken_at": _time(health.taken_at),
        "oldest_due_seconds": _seconds(health.oldest_due_seconds) or 0.0,
        "queues": health.queues,
        "unlinked": health.unlinked,
        "systems": [_system(each) for each in health.systems],
        "alerts": [_alert(each) for each in health.alerts],
    }


def _system(each: SystemHealth) -> dict[str, Any]:
    reading = each.reading
    return {
        "id": str(each.system.id),
        "name": each.system.name,
        "kind": each.system.kind,
        "state": each.system.state,
        "state_reason": each.system.state_reason,
        "status": each.rating.status.value,
        "score": each.rating.score,
        "why": each.rating.why,
        "breaker": each.breaker.value,
        "success_rate": reading.success_rate if reading else None,
        "attempts": reading.attempts if reading else 0,
        "oldest_due_seconds": _seconds(reading.oldest_due_seconds) if reading else None,
        "waiting": reading.waiting if reading else 0,
        "held": reading.held if reading else 0,
        "dead": reading.dead if reading else 0,
        "last_success_at": _time(reading.last_success_at) if reading else None,
        "last_failure_at": _time(reading.last_failure_at) if reading else None,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "cause": alert.cause,
        "text": alert.text,
        "system": str(alert.system_id) if alert.system_id else None,
        "first_at": _time(alert.first_at),
        "last_at": _time(alert.last_at),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
