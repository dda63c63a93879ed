"""Base URLs are judged by integrations/outbound/guard.py alone; the column stays as it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0018_self_test_alert")]

    operations = [
        migrations.AlterField(
            model_name="system",
            name="base_url",
            field=models.CharField(help_text="Without a slash at the end.", max_length=500),
        ),
    ]
