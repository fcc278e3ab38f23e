"""What cardholders claim back."""

import django.db.models.deletion
from django.db import migrations, models

from common.sql import run_sql


class Migration(migrations.Migration):
    """Add disputes as they were last told."""

    dependencies = [("organisations", "0002_mail"), ("treasury", "0003_payouts")]

    operations = [
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=255)),
                ("charge", models.CharField(max_length=255)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=64)),
                ("status", models.CharField(max_length=32)),
                ("answer_by", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField()),
                ("told_at", models.DateTimeField()),
                ("asked_as", models.CharField(blank=True, max_length=32)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "stripe_id"], name="dispute_is_told_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)), name="dispute_is_not_negative"
                    ),
                ]
            },
        ),
        run_sql("treasury", "disputes_v1"),
    ]
