"""Connected systems, the routes to them, and every delivery with its attempts."""

from integrations.models.breaker_changes import BreakerChange
from integrations.models.client_syncs import ClientSync
from integrations.models.deliveries import Attempt, Delivery, DeliveryReason
from integrations.models.health import (
    Alert,
    AttemptMinute,
    HealthReading,
    Heartbeat,
    OrganizationReading,
    PastReading,
)
from integrations.models.keys import KeyCheck
from integrations.models.routes import Route, RouteCondition
from integrations.models.systems import Connection, ConnectionSecret, ExternalReference, System

__all__ = [
    "Alert",
    "Attempt",
    "AttemptMinute",
    "BreakerChange",
    "ClientSync",
    "Connection",
    "ConnectionSecret",
    "Delivery",
    "DeliveryReason",
    "ExternalReference",
    "HealthReading",
    "Heartbeat",
    "KeyCheck",
    "OrganizationReading",
    "PastReading",
    "Route",
    "RouteCondition",
    "System",
]
