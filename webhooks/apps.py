from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        """Let deliveries of unknown outcome learn what providers have told us since."""
        from integrations import targets
        from webhooks.confirmations import provider_id_of

        targets.register_confirmation(provider_id_of)
