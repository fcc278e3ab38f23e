"""The heads log of the instance, and what time stampers said of it."""

from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the heads log's tables and their guards (docs/decisions/0013)."""

    dependencies = [("ledger", "0006_openings")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql("ledger", "heads_v1")],
            state_operations=[
                migrations.CreateModel(
                    name="HeadsKey",
                    fields=[
                        ("vkey", models.TextField(primary_key=True, serialize=False)),
                        ("algorithm", models.TextField(default="ed25519")),
                        ("encrypted_seed", models.BinaryField()),
                        ("created_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="HeadsLog",
                    fields=[
                        ("size", models.BigIntegerField(default=0)),
                        (
                            "is_ours",
                            models.BooleanField(default=True, primary_key=True, serialize=False),
                        ),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="HeadsLeaf",
                    fields=[
                        ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("body", models.TextField()),
                        ("organisation_id", models.TextField(editable=False)),
                        ("size", models.BigIntegerField(editable=False)),
                    ],
                ),
                migrations.CreateModel(
                    name="HeadsTile",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "level",
                                "number",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("level", models.SmallIntegerField()),
                        ("number", models.BigIntegerField()),
                        ("hashes", models.BinaryField()),
                    ],
                ),
                migrations.CreateModel(
                    name="HeadsCheckpoint",
                    fields=[
                        ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("root", models.BinaryField()),
                        ("note", models.TextField()),
                        ("sealed_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="HeadsTimestamp",
                    fields=[
                        (
                            "checkpoint",
                            models.OneToOneField(
                                db_column="size",
                                on_delete=models.deletion.PROTECT,
                                primary_key=True,
                                related_name="timestamp",
                                serialize=False,
                                to="ledger.headscheckpoint",
                            ),
                        ),
                        ("response", models.BinaryField()),
                        ("stamped_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                    ],
                ),
            ],
        ),
    ]
