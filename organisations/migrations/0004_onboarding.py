"""Applications: drafts, their papers, and how their Stripe accounts stand."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from common.ids import new_id
from common.sql import run_sql


class Migration(migrations.Migration):
    """Add drafts, documents, the state of accounts, and attempts to connect one."""

    dependencies = [
        ("organisations", "0003_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConnectAttempt",
            fields=[
                ("state_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("session_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("doc"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("application/pdf", "PDF"),
                            ("image/png", "PNG"),
                            ("image/jpeg", "JPEG"),
                        ],
                        max_length=20,
                    ),
                ),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("stored_as", models.CharField(max_length=64, unique=True)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="StripeAccountState",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account_state",
                        serialize=False,
                        to="organisations.organisation",
                    ),
                ),
                ("charges_enabled", models.BooleanField(default=False)),
                ("payouts_enabled", models.BooleanField(default=False)),
                ("details_submitted", models.BooleanField(default=False)),
                ("currently_due", models.JSONField(default=list)),
                ("past_due", models.JSONField(default=list)),
                ("eventually_due", models.JSONField(default=list)),
                ("disabled_reason", models.CharField(blank=True, max_length=100)),
                ("capabilities", models.JSONField(default=dict)),
                ("statement_descriptor", models.CharField(blank=True, max_length=100)),
                ("read_at", models.DateTimeField(null=True)),
                ("connected_at", models.DateTimeField(null=True)),
                ("disconnected_at", models.DateTimeField(null=True)),
                ("refused_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="organisation",
            name="organisation_decision_has_a_reason",
        ),
        migrations.AddField(
            model_name="organisation",
            name="question",
            field=models.TextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.AlterField(
            model_name="organisation",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("applied", "Applied"),
                    ("approved", "Approved"),
                    ("rejected", "Rejected"),
                ],
                default="applied",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "applied"]),
                    models.Q(
                        ("decided_at__isnull", False),
                        models.Q(("decision_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="organisation_decision_has_a_reason",
            ),
        ),
        migrations.AddField(
            model_name="connectattempt",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="added_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="organisations.organisation",
            ),
        ),
        migrations.AddConstraint(
            model_name="stripeaccountstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refused_at", None), ("disconnected_at__isnull", False), _connector="OR"
                ),
                name="account_that_refuses_is_disconnected",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                fields=("organisation", "sha256"), name="document_is_kept_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__gt", 0), ("size__lte", 10485760)),
                name="document_has_a_bearable_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                name="document_has_a_digest",
            ),
        ),
        run_sql("organisations", "accounts_v1"),
    ]
