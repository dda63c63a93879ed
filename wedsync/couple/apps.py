from django.apps import AppConfig


class CoupleConfig(AppConfig):
    name = "wedsync.couple"
    label = "couple"
