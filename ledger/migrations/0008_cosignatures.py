"""What witnesses sign."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the cosignatures and their guards (docs/decisions/0011)."""

    dependencies = [("ledger", "0007_heads")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql("ledger", "cosignatures_v1")],
            state_operations=[
                migrations.CreateModel(
                    name="Cosignature",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "size",
                                "witness",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("size", models.BigIntegerField()),
                        ("witness", models.TextField()),
                        ("line", models.TextField()),
                        ("signed_at", models.DateTimeField()),
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
                    name="WitnessAnswer",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "witness",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("witness", models.TextField()),
                        (
                            "state",
                            models.TextField(
                                choices=[
                                    ("cosigned", "Cosigned"),
                                    ("silent", "Silent"),
                                    ("unknown", "Unknown"),
                                    ("contradicted", "Contradicted"),
                                    ("wrong", "Wrong"),
                                ]
                            ),
                        ),
                        ("problem", models.TextField(blank=True)),
                        ("since", models.DateTimeField()),
                        ("asked_at", models.DateTimeField()),
                        ("cosigned_at", models.DateTimeField(null=True)),
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
