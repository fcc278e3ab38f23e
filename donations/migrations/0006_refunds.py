"""Refunds can be asked for, and gifts be found by who gave."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from common.ids import new_id
from common.sql import run_sql

REASONS = [
    ("requested_by_customer", "The donor asked for it"),
    ("duplicate", "The gift was made twice"),
    ("fraudulent", "The owner of the card did not make it"),
]
STATUSES = [
    ("requested", "Requested"),
    ("sent", "Sent"),
    ("pending", "Pending"),
    ("succeeded", "Succeeded"),
    ("failed", "Failed"),
    ("refused", "Refused"),
]
INDEXES = [
    models.Index(fields=["organisation", "donation"], name="refund_by_gift"),
    models.Index(
        fields=["next_attempt_at"],
        condition=Q(status__in=["requested", "sent"]),
        name="refund_is_due",
    ),
    models.Index(
        fields=["organisation", "-created_at"],
        condition=Q(status__in=["requested", "sent", "pending", "failed"]),
        name="refund_that_waits",
    ),
]
CONSTRAINTS = [
    models.CheckConstraint(condition=Q(amount__gt=0, amount__lt=2**53), name="refund_is_positive"),
    models.CheckConstraint(
        condition=Q(status__in=["requested", "sent", "refused"], stripe_refund="")
        | Q(status__in=["pending", "succeeded", "failed"]) & ~Q(stripe_refund=""),
        name="refund_status_fits_what_stripe_has",
    ),
    models.CheckConstraint(
        condition=Q(status="refused") & ~Q(refusal_code="") & ~Q(refusal="")
        | ~Q(status="refused") & Q(refusal_code="", refusal=""),
        name="refund_refusal_has_words",
    ),
    models.CheckConstraint(
        condition=Q(status="failed") & ~Q(failure="") | ~Q(status="failed") & Q(failure=""),
        name="refund_failure_has_a_reason",
    ),
    models.UniqueConstraint(fields=["organisation", "key"], name="refund_key_is_new"),
    models.UniqueConstraint(
        fields=["organisation", "stripe_refund"],
        condition=~Q(stripe_refund=""),
        name="refund_at_stripe_is_of_one_request",
    ),
]


class Migration(migrations.Migration):
    """Add the requests, and the rule that no gift is given back twice."""

    dependencies = [
        ("donations", "0005_giving"),
        ("ledger", "0001_initial"),
        ("organisations", "0002_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundRequest",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("rfd"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_requests",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "donation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_requests",
                        to="donations.donation",
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("reason", models.CharField(choices=REASONS, max_length=30)),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.CharField(editable=False, max_length=300)),
                ("request_hash", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "status",
                    models.CharField(choices=STATUSES, default="requested", max_length=10),
                ),
                ("stripe_refund", models.CharField(blank=True, editable=False, max_length=255)),
                ("refusal_code", models.CharField(blank=True, editable=False, max_length=100)),
                ("refusal", models.CharField(blank=True, editable=False, max_length=500)),
                ("failure", models.CharField(blank=True, editable=False, max_length=100)),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("next_attempt_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"indexes": INDEXES, "constraints": CONSTRAINTS},
        ),
        run_sql("donations", "refunds_v1"),
    ]
