import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("weddings", "0013_live_log_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="link",
            field=models.ForeignKey(
                help_text="Under which it registered. Without one it counts as ended.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="devices",
                to="weddings.personallink",
            ),
        ),
    ]
