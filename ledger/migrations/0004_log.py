"""The transparency log of each book: tiles and checkpoints."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the log's tables and their guards (docs/decisions/0010)."""

    dependencies = [("ledger", "0003_statements")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql("ledger", "log_v1")],
            state_operations=[
                migrations.CreateModel(
                    name="Log",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("size", models.BigIntegerField(default=0)),
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
                migrations.CreateModel(
                    name="Tile",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "level",
                                "number",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("level", models.SmallIntegerField()),
                        ("number", models.BigIntegerField()),
                        ("hashes", models.BinaryField()),
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
                migrations.CreateModel(
                    name="Checkpoint",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "size",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("size", models.BigIntegerField()),
                        ("root", models.BinaryField()),
                        ("note", models.TextField()),
                        ("sealed_at", models.DateTimeField()),
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
