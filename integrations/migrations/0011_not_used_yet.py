"""A system that was never called is neither healthy nor ill. Only the choices change, and no row is touched."""

from django.db import migrations, models

_STATUSES = [("unused", "Not used yet"), ("healthy", "Healthy"), ("warning", "Warning"), ("critical", "Critical")]


class Migration(migrations.Migration):
    dependencies = [("integrations", "0010_template_refused")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="status",
            field=models.CharField(choices=_STATUSES, default="healthy", max_length=8),
        )
        for name in ("healthreading", "pastreading")
    ]
