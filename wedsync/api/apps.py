from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "wedsync.api"
    label = "api"

    def ready(self) -> None:
        """Let the description of the API know how its callers prove who they are."""
        from wedsync.api.openapi import schema  # noqa: F401
