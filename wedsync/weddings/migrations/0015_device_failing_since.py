from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("weddings", "0014_device_link"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="failing_since",
            field=models.DateTimeField(help_text="Since when nothing could be sent to it.", null=True),
        ),
    ]
