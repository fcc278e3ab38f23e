"""Gifts that repeat, their payments and notices, and the visits of donors."""

import functools
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import common.ids
from common.sql import run_sql

INTERVALS = [("month", "every month"), ("year", "every year")]
STATUSES = [
    ("pending", "Pending"),
    ("active", "Active"),
    ("past_due", "Past Due"),
    ("paused", "Paused"),
    ("ended", "Ended"),
]
KINDS = [
    ("started", "Started"),
    ("failed", "Failed"),
    ("last_try", "Last Try"),
    ("confirm", "Confirm"),
    ("ended", "Ended"),
]
# In the database, keys between tenants' tables begin with the organisation.
RECURRING: dict[str, Any] = {
    "db_constraint": False,
    "on_delete": django.db.models.deletion.PROTECT,
    "to": "donations.recurringgift",
}


def number() -> Any:
    """Return a key that the database counts."""
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


def key(prefix: str) -> Any:
    """Return a key that is made up when a row is."""
    make = functools.partial(common.ids.make_id, prefix)
    return models.CharField(
        default=make, editable=False, max_length=32, primary_key=True, serialize=False
    )


def moment() -> Any:
    """Return when something happened, if it did."""
    return models.DateTimeField(editable=False, null=True)


def organisation(name: str) -> Any:
    """Return whose row it is."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="organisations.organisation",
    )


class Migration(migrations.Migration):
    """Add them; a donor's gifts are found by their address."""

    dependencies = [("donations", "0003_erased_at"), ("organisations", "0002_mail")]

    operations = [
        migrations.CreateModel(
            name="RecurringGift",
            fields=[
                ("id", key("rec")),
                ("fund", models.CharField(default="general", max_length=60)),
                ("interval", models.CharField(choices=INTERVALS, max_length=5)),
                (
                    "status",
                    models.CharField(choices=STATUSES, default="pending", max_length=10),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("donor_email", models.EmailField(blank=True, max_length=254)),
                ("public_name", models.CharField(blank=True, max_length=80)),
                ("owner_id", models.CharField(blank=True, max_length=128)),
                ("erased_at", moment()),
                ("subscription", models.CharField(editable=False, max_length=255, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", moment()),
                ("next_at", moment()),
                ("ended_at", moment()),
                ("ended_reason", models.CharField(blank=True, editable=False, max_length=40)),
                (
                    "told_status",
                    models.CharField(blank=True, choices=STATUSES, editable=False, max_length=10),
                ),
                ("read_at", moment()),
                ("organisation", organisation("recurring_gifts")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "subscription"],
                        name="recurring_has_its_own_subscription",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gt=0, amount__lt=2**53), name="recurring_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=Q(currency__regex=r"^[A-Z]{3}$"),
                        name="recurring_currency_is_iso_4217",
                    ),
                    models.CheckConstraint(
                        condition=Q(interval__in=["month", "year"]),
                        name="recurring_interval_is_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="ended", ended_at__isnull=False)
                        | (~Q(status="ended") & Q(ended_at__isnull=True)),
                        name="recurring_ended_at_some_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(erased_at__isnull=True)
                        | Q(donor_email="", public_name="", owner_id="")
                        | Q(~Q(status="ended"), public_name="", owner_id=""),
                        name="recurring_erased_names_nobody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecurringNotice",
            fields=[
                ("id", number()),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("invoice", models.CharField(blank=True, max_length=255)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("organisation", organisation("+")),
                ("recurring", models.ForeignKey(related_name="notices", **RECURRING)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "recurring", "kind", "invoice", "attempt"],
                        name="recurring_notice_is_given_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="donation",
            name="recurring",
            field=models.ForeignKey(
                editable=False, null=True, related_name="payments", **RECURRING
            ),
        ),
        migrations.AddField(
            model_name="donation",
            name="invoice",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddConstraint(
            model_name="donation",
            constraint=models.UniqueConstraint(
                fields=["organisation", "invoice"], name="donation_has_an_invoice_of_its_own"
            ),
        ),
        migrations.CreateModel(
            name="DonorVisit",
            fields=[
                ("id", key("visit")),
                ("email", models.EmailField(max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("opened_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="DonorKnock",
            fields=[
                ("id", number()),
                ("who", models.CharField(max_length=64)),
                ("hour", models.DateTimeField()),
                ("times", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["who", "hour"], name="donor_knocks_are_counted_once"
                    )
                ],
            },
        ),
        run_sql("donations", "recurring_v1"),
    ]
