from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        """Let routes have systems and live channels as targets."""
        from integrations import client_tasks, system_targets  # noqa: F401  (tasks register when imported)

        system_targets.register()
