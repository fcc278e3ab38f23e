"""What witnesses sign."""

from django.db import migrations, models

from common.sql import run_sql


def key(*fields: str) -> tuple[str, models.CompositePrimaryKey]:
    """Return a model's key as Django wants to be told."""
    options = {"blank": True, "editable": False, "primary_key": True, "serialize": False}
    return "pk", models.CompositePrimaryKey("organisation_id", "book", *fields, **options)


def organisation() -> tuple[str, models.ForeignKey]:
    """Return the tenant's column."""
    to, kept = "organisations.organisation", models.deletion.PROTECT
    return "organisation", models.ForeignKey(on_delete=kept, related_name="+", to=to)


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
                        key("size", "witness"),
                        ("book", models.TextField()),
                        ("size", models.BigIntegerField()),
                        ("witness", models.TextField()),
                        ("line", models.TextField()),
                        ("signed_at", models.DateTimeField()),
                        organisation(),
                    ],
                ),
                migrations.CreateModel(
                    name="WitnessAnswer",
                    fields=[
                        key("witness"),
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
                        organisation(),
                    ],
                ),
            ],
        ),
    ]
