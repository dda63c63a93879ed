from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        """Let routes have systems and live channels as targets."""
        from integrations import system_targets

        system_targets.register()
