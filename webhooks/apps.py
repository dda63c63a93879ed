from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        """Register where to find confirmations of deliveries of unknown outcome, and rounds of the sweep."""
        from integrations import sweep
        from integrations.registry import senders
        from webhooks.callbacks.applying import apply_left
        from webhooks.callbacks.confirmations import provider_id_of
        from webhooks.connection_urls import callback_url_of
        from webhooks.vendor_events.emergency_alarms import tell_left

        senders.register_confirmation(provider_id_of)
        senders.register_callback_url(callback_url_of)
        sweep.register_round(apply_left)
        sweep.register_round(tell_left)
