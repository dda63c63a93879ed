from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("live", "0009_people")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="is_stream_token",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Bought by a ticket; admits streams again and again until it expires.",
            ),
        ),
    ]
