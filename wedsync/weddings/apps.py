from django.apps import AppConfig


class WeddingsConfig(AppConfig):
    name = "wedsync.weddings"
    label = "weddings"

    def ready(self) -> None:
        from wedsync import celery, startup  # noqa: F401  (the default Celery app, and the configuration check)
