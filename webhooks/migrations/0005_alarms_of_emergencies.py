from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_taking_notices")]

    operations = [
        migrations.AddField(
            model_name="receipt",
            name="alarm",
            field=models.CharField(
                blank=True,
                choices=[("", "None"), ("due", "Due"), ("told", "Told")],
                db_default="",
                default="",
                help_text="Of a signed emergency that was refused, or is held: whether staff were told.",
                max_length=8,
            ),
        ),
    ]
