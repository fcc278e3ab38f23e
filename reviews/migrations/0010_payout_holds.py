"""Payouts that wait until staff have decided."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import common.ids
from common.sql import run_sql


class Migration(migrations.Migration):
    """Add payout holds, which come free only as people have decided."""

    dependencies = [("organisations", "0006_payouts"), ("reviews", "0009_figures")]

    operations = [
        migrations.CreateModel(
            name="PayoutHold",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=common.ids.new_id("hold"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("began_at", models.DateTimeField(auto_now_add=True)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_hold",
                        to="reviews.case",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout_holds",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(released_at__isnull=True),
                        fields=("organisation",),
                        name="payouts_are_held_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(released_at__isnull=True) | Q(released_at__gte=F("began_at")),
                        name="payout_hold_ends_after_it_began",
                    ),
                ],
            },
        ),
        run_sql("reviews", "payout_holds_v1"),
    ]
