"""Cases are decided by one or two people; rules screen, and gifts are held."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from common.ids import new_id
from common.sql import run_sql


class Migration(migrations.Migration):
    """Add decisions, notes, rules, screenings and holds, and what no client gets round."""

    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("ledger", "0009_heads_cosignatures"),
        ("organisations", "0005_one_address"),
        ("reviews", "0006_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("promised", "Promised"),
                            ("declined", "Declined"),
                            ("paid", "Paid"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reference", models.CharField(max_length=255)),
                ("gift", models.CharField(blank=True, max_length=32)),
                ("at", models.DateTimeField()),
                ("amount", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("address", models.CharField(blank=True, max_length=32)),
                ("session", models.CharField(blank=True, max_length=32)),
                ("email", models.CharField(blank=True, max_length=32)),
                ("card", models.CharField(blank=True, max_length=32)),
                ("name", models.CharField(blank=True, max_length=32)),
                ("country", models.CharField(blank=True, max_length=2)),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("dec"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("round", models.PositiveSmallIntegerField()),
                ("choice", models.CharField(max_length=20)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("is_final", models.BooleanField()),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("hold"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("gift", models.CharField(max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("capture", "authorised, not captured"),
                            ("ledger", "held in the ledger"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "waits for a decision"),
                            ("releasing", "is being released"),
                            ("refusing", "is being given back"),
                            ("released", "released"),
                            ("refused", "given back"),
                            ("lapsed", "let go by the bank"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("purpose", models.CharField(max_length=80)),
                ("payment_intent", models.CharField(blank=True, max_length=255)),
                ("lapses_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("held_at_sequence", models.BigIntegerField(null=True)),
                ("released_at_sequence", models.BigIntegerField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "opened"),
                            ("taken", "taken"),
                            ("handed_over", "handed over"),
                            ("put_back", "put back"),
                            ("comment", "said"),
                            ("snoozed", "put off"),
                            ("proposed", "proposed"),
                            ("decided", "decided"),
                            ("overtaken", "overtaken by events"),
                            ("reopened", "opened again"),
                            ("more", "more was found"),
                            ("waits", "payouts wait from now on"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RuleVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                (
                    "mode",
                    models.CharField(
                        choices=[("active", "in force"), ("off", "switched off")],
                        default="active",
                        max_length=6,
                    ),
                ),
                ("parameters", models.JSONField()),
                ("reason", models.TextField()),
                ("proposed_at", models.DateTimeField(auto_now_add=True)),
                ("backtest", models.JSONField(null=True)),
                ("activated_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["rule", "organisation_id", "number"],
            },
        ),
        migrations.CreateModel(
            name="Screening",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("scr"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "occasion",
                    models.CharField(
                        choices=[
                            ("promise", "a gift is promised"),
                            ("settlement", "a gift is in the ledger"),
                            ("refund", "a refund is asked for"),
                            ("application", "an organisation applies"),
                            ("account", "an account is looked at"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("challenge", "Challenge"),
                            ("review", "Review"),
                            ("block", "Block"),
                        ],
                        max_length=9,
                    ),
                ),
                ("score", models.PositiveSmallIntegerField()),
                ("results", models.JSONField()),
                (
                    "hits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("duration_us", models.PositiveIntegerField()),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Watched",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("verdict", models.CharField(blank=True, max_length=9)),
                ("until", models.DateTimeField(null=True)),
                ("rule", models.CharField(blank=True, max_length=40)),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(verdict="", rule="", until__isnull=True)
                        | models.Q(verdict__in=["challenge", "block"], until__isnull=False)
                        & ~models.Q(rule=""),
                        name="watched_is_free_or_bound",
                    ),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="case",
            options={
                "permissions": [
                    ("decide_case", "Can decide cases"),
                    ("set_rules", "Can propose and activate rules"),
                ]
            },
        ),
        migrations.RemoveConstraint(
            model_name="case",
            name="case_is_closed_by_a_person_with_a_reason",
        ),
        migrations.AddField(
            model_name="case",
            name="amount",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="assigned_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cases",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="choice",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=20),
        ),
        migrations.AddField(
            model_name="case",
            name="currency",
            field=models.CharField(blank=True, db_default="", max_length=3),
        ),
        migrations.AddField(
            model_name="case",
            name="donor_key",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="gift",
            field=models.CharField(blank=True, db_default="", max_length=32),
        ),
        migrations.AddField(
            model_name="case",
            name="people_needed",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="case",
            name="round",
            field=models.PositiveSmallIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="case",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="case",
            name="closed_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="case",
            name="kind",
            field=models.CharField(
                choices=[
                    ("gift", "Gift under review"),
                    ("refund", "Refund soon after a gift"),
                    ("card_testing", "Cards are being tested"),
                    ("application", "Application of an organisation"),
                    ("account", "Stripe account to look at"),
                    ("dispute", "Dispute to be answered"),
                    ("fraud_warning", "Early fraud warning"),
                    ("unclassified", "Unclassified transaction"),
                    ("unbooked", "Transaction that cannot be booked"),
                    ("mismatch", "Gift and charge differ"),
                    ("parked_event", "Parked event"),
                    ("audit", "Book that does not verify"),
                    ("sealing", "Log that is not sealed any further"),
                    ("timestamp", "Time stamp that did not come"),
                    ("witness", "Log of which a witness saw another"),
                    ("drift", "Ledger that differs from the Stripe balance"),
                    ("payout", "Payout that failed"),
                    ("subscriber", "Webhook that cannot be delivered"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)),
                fields=["due_at", "opened_at"],
                name="case_that_waits",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["organisation", "-opened_at"], name="case_of_organisation"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["kind", "-closed_at"], name="case_of_kind"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("gift", ""), _negated=True),
                fields=["gift"],
                name="case_of_gift",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("choice", ""),
                        ("closed_at__isnull", True),
                        ("closed_by__isnull", True),
                        ("reason", ""),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        models.Q(("reason", ""), _negated=True),
                        models.Q(
                            ("closed_by__isnull", False), ("choice", "overtaken"), _connector="OR"
                        ),
                    ),
                    _connector="OR",
                ),
                name="case_is_closed_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__isnull", True), ("currency", "")),
                    models.Q(
                        ("amount__gt", 0),
                        ("amount__lt", 9007199254740992),
                        ("currency__regex", "^[A-Z]{3}$"),
                    ),
                    _connector="OR",
                ),
                name="case_is_about_money_of_a_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("people_needed__in", [1, 2])),
                name="case_needs_one_person_or_two",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="reviews.case",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="confirms",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="confirmed_by",
                to="reviews.decision",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="case",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="hold", to="reviews.case"
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="reviews.case"
            ),
        ),
        migrations.AddField(
            model_name="note",
            name="to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="activated_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="organisation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="ruleversion",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="screening",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="screenings",
                to="organisations.organisation",
            ),
        ),
        migrations.AddIndex(
            model_name="watched",
            index=models.Index(fields=["seen_at"], name="watched_long_ago"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["organisation", "-at"], name="attempt_at_organisation"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("address", ""), _negated=True),
                fields=["address", "-at"],
                name="attempt_from",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("session", ""), _negated=True),
                fields=["session", "-at"],
                name="attempt_in",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("email", ""), _negated=True),
                fields=["email", "-at"],
                name="attempt_by",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("card", ""), _negated=True),
                fields=["card", "-at"],
                name="attempt_with",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("name", ""), _negated=True),
                fields=["name", "-at"],
                name="attempt_as",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["organisation", "gift"], name="attempt_of_gift"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                fields=("organisation", "kind", "reference"), name="attempt_counts_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_final", True)),
                fields=("case", "round"),
                name="case_is_decided_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="decision_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_final", True), ("confirms__isnull", True), _connector="OR"),
                name="proposal_confirms_nothing",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(
                    ("kind", "capture"), ("status__in", ["open", "releasing", "refusing"])
                ),
                fields=["next_attempt_at"],
                name="hold_to_carry_out",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status__in", ["open", "releasing", "refusing"])),
                fields=["organisation", "status"],
                name="hold_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["organisation", "gift"], name="hold_of_gift"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                fields=("organisation", "gift", "kind"), name="gift_is_held_once_a_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("amount__lt", 9007199254740992)),
                name="hold_is_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("held_at_sequence__isnull", True),
                        ("kind", "capture"),
                        models.Q(("payment_intent", ""), _negated=True),
                        ("lapses_at__isnull", False),
                    ),
                    models.Q(
                        ("held_at_sequence__isnull", False),
                        ("kind", "ledger"),
                        ("lapses_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="hold_is_before_capture_or_in_the_ledger",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at__isnull", True),
                        ("status__in", ["open", "releasing", "refusing"]),
                    ),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("status__in", ["released", "refused", "lapsed"]),
                    ),
                    _connector="OR",
                ),
                name="hold_ends_with_its_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "ledger"), ("status", "released"), _negated=True),
                    ("released_at_sequence__isnull", False),
                    _connector="OR",
                ),
                name="hold_released_is_in_the_ledger",
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["case", "id"], name="note_of_case"),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "handed_over"), ("to__isnull", False)),
                    models.Q(
                        models.Q(("kind", "handed_over"), _negated=True), ("to__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="note_hands_over_to_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.UniqueConstraint(
                fields=("organisation", "rule", "number"),
                name="rule_version_is_numbered",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="rule_version_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("activated_at__isnull", True), ("activated_by__isnull", True)),
                    models.Q(
                        ("activated_at__isnull", False),
                        ("activated_by__isnull", False),
                        ("backtest__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="rule_version_is_put_in_force_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("activated_by__isnull", True),
                    models.Q(("activated_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="rule_version_needs_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at__isnull", True), ("activated_at__isnull", True), _connector="OR"
                ),
                name="rule_version_ends_once",
            ),
        ),
        migrations.AddIndex(
            model_name="screening",
            index=models.Index(fields=["subject"], name="screening_of_subject"),
        ),
        migrations.AddIndex(
            model_name="screening",
            index=models.Index(fields=["organisation", "-at"], name="screening_of_organisation"),
        ),
        migrations.AddIndex(
            model_name="screening",
            index=models.Index(
                condition=models.Q(("hits", []), _negated=True),
                fields=["at"],
                include=["organisation", "subject", "hits"],
                name="screening_that_hit",
            ),
        ),
        run_sql("reviews", "decisions_v1"),
        run_sql("reviews", "screenings_v1"),
        run_sql("reviews", "holds_v1"),
    ]
