"""Organisations say in which currencies they take gifts, and how much."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add the terms of giving, a row a currency."""

    dependencies = [
        ("donations", "0004_recurring"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GivingCurrency",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organisation_id",
                        "currency",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "presets",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField()),
                ),
                ("least", models.BigIntegerField()),
                ("most", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(currency__regex=r"^[A-Z]{3}$"),
                        name="giving_currency_is_iso_4217",
                    ),
                    models.CheckConstraint(
                        condition=Q(least__gt=0, least__lte=F("most"), most__lt=2**53),
                        name="giving_has_a_range",
                    ),
                    models.CheckConstraint(
                        condition=Q(presets__len__gte=3, presets__len__lte=6),
                        name="giving_has_three_to_six_presets",
                    ),
                ],
            },
        ),
        run_sql("donations", "giving_v1"),
    ]
