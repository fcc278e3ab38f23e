"""What a book said at any moment, what it attests of itself, and corrections with their reasons."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add indexes, views, questions and guards (docs/decisions/0007)."""

    dependencies = [("ledger", "0002_faster")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                run_sql("ledger", "statements_v1"),
                run_sql("ledger", "corrections_v1"),
                run_sql("ledger", "attestations_v1"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Correction",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "reverses",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("book", models.TextField()),
                        ("reverses", models.BigIntegerField()),
                        ("sequence", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "ledger_correction",
                        "managed": False,
                        "default_permissions": (),
                    },
                ),
                migrations.CreateModel(
                    name="Leg",
                    fields=[
                        ("book", models.TextField()),
                        ("sequence", models.BigIntegerField()),
                        ("entry_id", models.TextField()),
                        ("operation", models.TextField()),
                        ("amount", models.BigIntegerField()),
                        ("currency", models.TextField()),
                        ("debit", models.TextField()),
                        ("credit", models.TextField()),
                        ("nonce", models.TextField()),
                        ("metadata", models.JSONField()),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("prev_entry_hash", models.TextField(null=True)),
                        ("entry_hash", models.TextField()),
                        ("line", models.TextField()),
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organisation_id",
                                "book",
                                "sequence",
                                "account",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("account", models.TextField()),
                        ("moved", models.BigIntegerField()),
                    ],
                    options={
                        "db_table": "ledger_leg",
                        "managed": False,
                        "default_permissions": (),
                    },
                ),
                migrations.AlterModelOptions(
                    name="entrylisting",
                    options={
                        "managed": False,
                        "permissions": [("correct_entry", "Can correct entries")],
                        "verbose_name": "entry",
                        "verbose_name_plural": "entries",
                    },
                ),
            ],
        ),
    ]
