from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        """Register systems and live channels as targets of routes, and have Celery's processes check their keys."""
        from celery.signals import beat_init, celeryd_init

        from integrations.system_channel import sender
        from integrations.systems import key_check

        sender.register()
        for begins in (celeryd_init, beat_init):
            begins.connect(key_check.verify_or_exit)
