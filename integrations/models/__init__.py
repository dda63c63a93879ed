"""Connected systems, the routes to them, and every delivery with its attempts."""

from integrations.models.breaker import BreakerChange
from integrations.models.deliveries import Attempt, Delivery, DeliveryReason
from integrations.models.routes import Route, RouteCondition
from integrations.models.systems import Connection, ConnectionSecret, ExternalReference, System

__all__ = [
    "Attempt",
    "BreakerChange",
    "Connection",
    "ConnectionSecret",
    "Delivery",
    "DeliveryReason",
    "ExternalReference",
    "Route",
    "RouteCondition",
    "System",
]
