from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("integrations", "0016_paused_and_expiring")]

    operations = [
        migrations.CreateModel(
            name="KeyCheck",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("sealed", models.TextField()),
                ("made_at", models.DateTimeField(db_default=Now())),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="key_check_is_one")]},
        ),
    ]
