from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "wedsync.console"
    label = "console"
