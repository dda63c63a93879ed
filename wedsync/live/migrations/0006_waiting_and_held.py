"""The sweep finds what waits or is held by an index of exactly that, however many events there are."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Cast, Coalesce


class Migration(migrations.Migration):
    atomic = False  # an index is made beside the writers

    dependencies = [("live", "0005_events_of_a_wedding")]

    operations = [
        AddIndexConcurrently(
            model_name="channelevent",
            index=models.Index(
                models.F("priority"),
                Coalesce("hinted_at", Cast(models.Value("-infinity"), models.DateTimeField())),
                models.F("id"),
                condition=models.Q(("routing", "pending")),
                name="event_waiting",
            ),
        ),
        AddIndexConcurrently(
            model_name="channelevent",
            index=models.Index(
                condition=models.Q(("routing", "held")), fields=["source_connection_id"], name="event_held"
            ),
        ),
        RemoveIndexConcurrently(model_name="channelevent", name="event_unrouted"),
    ]
