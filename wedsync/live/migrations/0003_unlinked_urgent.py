from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index is made beside the writers

    dependencies = [("live", "0002_the_door_in")]

    operations = [
        AddIndexConcurrently(
            model_name="channelevent",
            index=models.Index(
                condition=models.Q(("priority", "urgent"), ("routing", "unlinked")),
                fields=["id"],
                name="event_unlinked_urgent",
            ),
        ),
    ]
