"""One index finds a wedding's newest events, and takes the place of the one that finds its events in no order."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("live", "0004_event_author"), ("weddings", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="channelevent",
            index=models.Index(fields=["wedding", "id"], name="event_of_wedding"),
        ),
        migrations.AlterField(
            model_name="channelevent",
            name="wedding",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="events",
                to="weddings.wedding",
            ),
        ),
    ]
