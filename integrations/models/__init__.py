"""Connected systems, the routes to them, and every delivery with its attempts."""

from integrations.models.client_syncs import ClientSync
from integrations.models.deliveries import Attempt, Delivery, DeliveryReason
from integrations.models.routes import Route
from integrations.models.systems import Connection, ConnectionSecret, ExternalReference, System

__all__ = [
    "Attempt",
    "ClientSync",
    "Connection",
    "ConnectionSecret",
    "Delivery",
    "DeliveryReason",
    "ExternalReference",
    "Route",
    "System",
]
