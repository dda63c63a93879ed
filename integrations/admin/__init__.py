"""Admin of systems, routes and deliveries, and of weddings and events, which are published and linked here."""

from integrations.admin import breaker, deliveries, events, routes, systems, weddings

__all__ = ["breaker", "deliveries", "events", "routes", "systems", "weddings"]  # imported for their registrations
