from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be empty is added without a look at the rows, of which there are many."""

    dependencies = [("webhooks", "0006_due_alarms_index")]

    operations = [
        migrations.AddField(
            model_name="receipt",
            name="correlation_id",
            field=models.UUIDField(
                blank=True, help_text="In each line of the log that follows from this request.", null=True
            ),
        ),
    ]
