"""Admin of systems, routes and deliveries, and of weddings and events, whose changes are published here."""

from integrations.admin import breaker, deliveries, events, health, routes, systems, weddings

__all__ = [  # imported for their registrations
    "breaker",
    "deliveries",
    "events",
    "health",
    "routes",
    "systems",
    "weddings",
]
