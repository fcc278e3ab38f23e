"""Who acts for an account is forgotten too, with the events about where it is paid."""

from django.db import migrations

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the second version of what is forgotten of an event that is done."""

    dependencies = [("webhooks", "0006_backfill")]

    operations = [
        run_sql("webhooks", "forget_v2"),
        migrations.AlterModelOptions(
            name="delivery", options={"verbose_name_plural": "deliveries"}
        ),
    ]
