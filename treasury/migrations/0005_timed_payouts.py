"""Payouts that the platform times."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

import common.ids
from common.sql import run_sql

ORGANISATION = "organisations.organisation"


class Migration(migrations.Migration):
    """Add how they are timed, and what was ordered; nothing that is held is ordered."""

    dependencies = [("reviews", "0010_payout_holds"), ("treasury", "0004_disputes")]

    operations = [
        migrations.CreateModel(
            name="PayoutControl",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="payout_control",
                        serialize=False,
                        to=ORGANISATION,
                    ),
                ),
                ("schedule", models.JSONField(null=True)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("paid_on", models.DateField(null=True)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, max_length=500)),
                ("is_told", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(stopped_at__isnull=True) | Q(schedule__isnull=False),
                        name="payouts_that_stop_can_go_on",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutOrder",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=common.ids.new_id("pord"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                ("amount", models.BigIntegerField()),
                ("ordered_at", models.DateTimeField(auto_now_add=True)),
                ("tried_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "is being ordered"),
                            ("sent", "sent"),
                            ("refused", "refused"),
                            ("given_up", "given up"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("payout", models.CharField(blank=True, max_length=255)),
                ("trouble", models.CharField(blank=True, max_length=500)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_orders",
                        to=ORGANISATION,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "currency", "day"),
                        name="payout_is_ordered_once_a_day",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gt=0, amount__lt=2**53),
                        name="payout_order_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="sent") & ~Q(payout="")
                        | ~Q(status="sent") & Q(payout=""),
                        name="payout_order_that_is_sent_has_a_payout",
                    ),
                ],
            },
        ),
        run_sql("treasury", "payout_orders_v1"),
    ]
