"""Admin of systems, routes and deliveries, and of weddings, whose edits are published."""

from integrations.admin import deliveries, routes, systems, weddings

__all__ = ["deliveries", "routes", "systems", "weddings"]  # imported for their registrations
