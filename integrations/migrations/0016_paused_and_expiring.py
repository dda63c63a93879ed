"""The sweep finds what is held for a pause, and what has expired, by an index of exactly that."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index is made beside the writers

    dependencies = [("integrations", "0015_repetitions")]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "held"), ("state_reason", "system_paused")),
                fields=["system", "next_attempt_at"],
                name="delivery_paused",
            ),
        ),
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "scheduled", "held"])),
                fields=["expires_at"],
                name="delivery_expires",
            ),
        ),
    ]
