from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        """Register systems and live channels as targets, and how clients publish; let Celery check its keys."""
        from celery.signals import beat_init, celeryd_init

        from integrations.system_channel import sender
        from integrations.systems import key_check
        from integrations.wedding_events import client_events
        from wedsync.live import publishing

        sender.register()
        publishing.register_client_publisher(client_events.publish)
        for begins in (celeryd_init, beat_init):
            begins.connect(key_check.verify_or_exit)
