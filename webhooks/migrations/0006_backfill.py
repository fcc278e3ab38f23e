"""How far the events of each account were asked for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the cursor of the backfill."""

    dependencies = [("organisations", "0002_mail"), ("webhooks", "0005_endpoints")]

    operations = [
        migrations.CreateModel(
            name="Backfill",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backfill",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={"permissions": [("backfill_events", "Can have missed events asked for")]},
        ),
    ]
