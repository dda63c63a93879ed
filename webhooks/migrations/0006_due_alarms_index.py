from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Concurrently, since the table of receipts is the largest, and the receiver writes to it all the time."""

    atomic = False
    dependencies = [("webhooks", "0005_alarms_of_emergencies")]

    operations = [
        AddIndexConcurrently(
            model_name="receipt",
            index=models.Index(condition=models.Q(("alarm", "due")), fields=["id"], name="receipt_alarm_due"),
        ),
    ]
