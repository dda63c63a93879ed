from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "wedsync.demo"
    label = "demo"
