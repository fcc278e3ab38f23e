"""Integrators are told what happens: endpoints, their secrets, messages and deliveries."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from common.ids import new_id


def tenant() -> "models.ForeignKey[Any, Any]":
    """Return the column that says whose row it is."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.organisation",
    )


def key(prefix: str) -> "models.CharField[str, str]":
    """Return a column of ids."""
    return models.CharField(
        default=new_id(prefix), editable=False, max_length=32, primary_key=True, serialize=False
    )


class Migration(migrations.Migration):
    """Add what is told to whom, and how that went."""

    dependencies = [
        ("organisations", "0001_initial"),
        ("webhooks", "0004_addressee"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", key("we")),
                ("url", models.CharField(max_length=500)),
                ("events", models.JSONField()),
                ("description", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("disabled_at", models.DateTimeField(editable=False, null=True)),
                ("disabled_reason", models.CharField(blank=True, editable=False, max_length=500)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("organisation", tenant()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "url"],
                        condition=Q(deleted_at=None),
                        name="endpoint_url_is_there_once",
                    ),
                    models.CheckConstraint(
                        condition=~Q(events=[]), name="endpoint_is_told_something"
                    ),
                    models.CheckConstraint(
                        condition=Q(disabled_at__isnull=True, disabled_reason="")
                        | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                        name="endpoint_disabled_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EndpointSecret",
            fields=[
                ("id", key("wes")),
                ("encrypted", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="secrets",
                        to="webhooks.endpoint",
                    ),
                ),
                ("organisation", tenant()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "endpoint"],
                        condition=Q(expires_at=None),
                        name="endpoint_has_one_newest_secret",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BookReading",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="organisations.organisation",
                    ),
                ),
                ("told", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", key("msg")),
                ("type", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=255)),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("organisation", tenant()),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="message_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "type", "subject"], name="message_is_told_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", key("dlv")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("due", "Waits"),
                            ("delivered", "Delivered"),
                            ("given_up", "Given up"),
                        ],
                        default="due",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="webhooks.endpoint",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="webhooks.message",
                    ),
                ),
                ("organisation", tenant()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["endpoint", "next_attempt_at"],
                        condition=Q(status="due"),
                        name="delivery_is_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "endpoint", "message"],
                        name="delivery_is_there_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempted_at", models.DateTimeField()),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                ("duration_ms", models.PositiveIntegerField()),
                ("answer", models.TextField(blank=True)),
                ("error", models.CharField(blank=True, max_length=500)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="webhooks.delivery",
                    ),
                ),
                ("organisation", tenant()),
            ],
            options={"ordering": ["-id"]},
        ),
    ]
