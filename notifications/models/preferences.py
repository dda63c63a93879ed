"""What people want to be told, and by which channel."""

from django.db import models
from django.db.models import Q

from wedsync.ids import new_id
from wedsync.live.event_types.catalogue import Category
from wedsync.weddings.models import Contact, ContactChannel

CATEGORIES = [(each.value, each.capitalize()) for each in Category if each != Category.OPERATIONS]


class Preference(models.Model):
    """Whether one contact wants one category by one channel. Without a row, it is wanted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="preferences")
    category = models.CharField(max_length=16, choices=CATEGORIES)
    channel = models.CharField(max_length=16, choices=ContactChannel.choices)
    wanted = models.BooleanField(default=False)
    source = models.CharField(max_length=100, blank=True, help_text="Who decided: staff, the API, an email's link.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "category", "channel"], name="preference_once"),
            models.CheckConstraint(
                condition=Q(category__in=[name for name, _ in CATEGORIES]), name="preference_category_known"
            ),
            models.CheckConstraint(condition=Q(channel__in=ContactChannel.values), name="preference_channel_known"),
        ]

    def __str__(self) -> str:
        return f"{self.category} by {self.channel}: {'yes' if self.wanted else 'no'}"
