"""Payouts, and what is in them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add both tables, with keys that begin with the organisation."""

    dependencies = [("treasury", "0002_sweeping")]

    operations = [
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=255)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("in_transit", "In Transit"),
                            ("paid", "Paid"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("arrival_on", models.DateField()),
                ("automatic", models.BooleanField()),
                ("reconciliation_status", models.CharField(blank=True, max_length=32)),
                ("trace_id", models.CharField(blank=True, max_length=255)),
                ("bank_name", models.CharField(blank=True, max_length=255)),
                ("bank_last4", models.CharField(blank=True, max_length=4)),
                ("failure_code", models.CharField(blank=True, max_length=64)),
                ("failure_message", models.TextField(blank=True)),
                ("transaction", models.CharField(blank=True, max_length=255)),
                ("failure_transaction", models.CharField(blank=True, max_length=255)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("composed_at", models.DateTimeField(null=True)),
                ("composition_is_whole", models.BooleanField(default=False)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "-created_at"], name="payout_by_time"),
                    models.Index(
                        fields=["organisation", "status", "currency", "created_at"],
                        name="payout_by_status",
                    ),
                    models.Index(
                        fields=["organisation", "failure_transaction"], name="payout_by_return"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "stripe_id"), name="payout_is_kept_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(composition_is_whole=False) | Q(composed_at__isnull=False),
                        name="payout_is_whole_when_composed",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="paid", paid_at__isnull=False)
                        | Q(status__in=["failed", "canceled"])
                        | Q(status__in=["pending", "in_transit"], paid_at__isnull=True),
                        name="payout_is_paid_at_some_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="failed", failed_at__isnull=False)
                        | Q(status="canceled")
                        | Q(status__in=["pending", "in_transit", "paid"], failed_at__isnull=True),
                        name="payout_failed_at_some_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payout", models.CharField(max_length=255)),
                ("stripe_id", models.CharField(max_length=255)),
                ("reporting_category", models.CharField(max_length=64)),
                ("amount", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                ("occurred_at", models.DateTimeField()),
                ("is_booked", models.BooleanField(default=False)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_items",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organisation", "payout", "occurred_at", "stripe_id"],
                        name="item_by_time",
                    ),
                    models.Index(fields=["organisation", "stripe_id"], name="item_by_transaction"),
                    models.Index(
                        condition=Q(is_booked=False),
                        fields=["organisation"],
                        name="item_is_not_booked",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "payout", "stripe_id"),
                        name="item_is_in_a_payout_once",
                    ),
                    models.CheckConstraint(
                        condition=Q(net=F("amount") - F("fee")),
                        name="item_net_is_amount_less_fee",
                    ),
                ],
            },
        ),
        run_sql("treasury", "payouts_v1"),
    ]
