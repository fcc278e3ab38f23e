"""The personal details behind commitments, and their erasure."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the table and its guards (docs/decisions/0015)."""

    dependencies = [("ledger", "0005_rotation")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql("ledger", "openings_v1")],
            state_operations=[
                migrations.CreateModel(
                    name="Opening",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "sequence",
                                "field",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("sequence", models.BigIntegerField()),
                        ("field", models.TextField()),
                        ("value", models.TextField()),
                        ("salt", models.BinaryField()),
                        (
                            "organisation",
                            models.ForeignKey(
                                on_delete=models.deletion.PROTECT,
                                related_name="+",
                                to="organisations.organisation",
                            ),
                        ),
                    ],
                ),
            ],
        ),
    ]
