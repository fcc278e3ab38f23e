"""Witnesses sign the heads log too."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add what they signed (docs/decisions/0013)."""

    dependencies = [("ledger", "0008_cosignatures")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql("ledger", "heads_cosignatures_v1")],
            state_operations=[
                migrations.CreateModel(
                    name="HeadsCosignature",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "checkpoint_id",
                                "witness",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("witness", models.TextField()),
                        ("line", models.TextField()),
                        ("signed_at", models.DateTimeField()),
                        (
                            "checkpoint",
                            models.ForeignKey(
                                db_column="size",
                                on_delete=models.deletion.PROTECT,
                                related_name="cosignatures",
                                to="ledger.headscheckpoint",
                            ),
                        ),
                    ],
                ),
            ],
        ),
    ]
