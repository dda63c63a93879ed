from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "wedsync.api"
    label = "api"

    def ready(self) -> None:
        """Load how callers authenticate, so that the API's description includes it."""
        from wedsync.api.openapi import schema  # noqa: F401
