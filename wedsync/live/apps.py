from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "wedsync.live"
    label = "live"
