"""A check value that shows whether a process has this database's keys."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class KeyCheck(models.Model):
    """The only row: a known word, encrypted with a key of ``WEDSYNC_SECRET_KEYS``; other keys cannot decrypt it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed = models.TextField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="key_check_is_one")]

    def __str__(self) -> str:
        return f"made at {self.made_at}"
