"""Admin of systems, routes and deliveries, and of weddings and events, which are published and linked here."""

from integrations.admin import deliveries, events, health, routes, systems, weddings

__all__ = ["deliveries", "events", "health", "routes", "systems", "weddings"]  # imported for their registrations
