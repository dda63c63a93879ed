from django.apps import AppConfig


class RunnerConfig(AppConfig):
    name = "wedsync.runner"
    label = "runner"
