"""Lists of sanctions, and the names that people have cleared."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from common.sql import run_sql

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
SOURCES = [
    ("OFAC", "United States (OFAC)"),
    ("EU", "European Union"),
    ("UN", "United Nations"),
    ("UK", "United Kingdom"),
]
KINDS = [
    ("person", "Person"),
    ("organisation", "Organisation"),
    ("thing", "Ship or aircraft"),
]


class Migration(migrations.Migration):
    """Add the lists, their names, and the cleared pairs; then who may write what."""

    dependencies = [
        ("reviews", "0007_decisions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SanctionList",
            fields=[
                (
                    "source",
                    models.CharField(
                        choices=SOURCES, max_length=4, primary_key=True, serialize=False
                    ),
                ),
                ("published_on", models.DateField(null=True)),
                ("imported_at", models.DateTimeField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("entries", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(published_on__isnull=True, imported_at__isnull=True, sha256="")
                        | (
                            Q(published_on__isnull=False, imported_at__isnull=False) & ~Q(sha256="")
                        ),
                        name="list_is_loaded_or_not",
                    ),
                    models.CheckConstraint(
                        condition=Q(failing_since__isnull=True, error="")
                        | (Q(failing_since__isnull=False) & ~Q(error="")),
                        name="list_that_fails_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListedName",
            fields=[
                ("id", ID),
                ("uid", models.CharField(max_length=100)),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("name", models.TextField()),
                ("is_weak", models.BooleanField()),
                ("programme", models.TextField(blank=True)),
                (
                    "sanction_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="names",
                        to="reviews.sanctionlist",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["sanction_list", "uid"], name="names_of_a_listed_party")
                ],
            },
        ),
        migrations.CreateModel(
            name="ClearedPair",
            fields=[
                ("id", ID.clone()),
                ("name_key", models.CharField(editable=False, max_length=64)),
                (
                    "source",
                    models.CharField(choices=[*SOURCES, ("YENTE", "yente")], max_length=5),
                ),
                ("uid", models.CharField(max_length=100)),
                ("reason", models.TextField()),
                ("cleared_at", models.DateTimeField(auto_now_add=True)),
                (
                    "cleared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["name_key", "source", "uid"], name="a_pair_is_cleared_once"
                    ),
                    models.CheckConstraint(
                        condition=~Q(reason=""), name="cleared_pair_has_a_reason"
                    ),
                ],
            },
        ),
        run_sql("reviews", "sanctions_v1"),
    ]
