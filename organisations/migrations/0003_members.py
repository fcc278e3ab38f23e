"""Invitations, the log of members, an owner for ever, and what web processes count together."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower

from common.ids import new_id
from common.sql import run_sql
from organisations.models.members import invitation_end

ROLES = [("owner", "Owner"), ("admin", "Admin"), ("finance", "Finance"), ("viewer", "Viewer")]
KINDS = [
    ("invited", "Invited"),
    ("sent_again", "Sent Again"),
    ("withdrawn", "Withdrawn"),
    ("joined", "Joined"),
    ("role_changed", "Role Changed"),
    ("removed", "Removed"),
    ("left", "Left"),
]


def key(model: str, **options: Any) -> Any:
    """Return a foreign key whose target stays."""
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=model, **options)


class Migration(migrations.Migration):
    """Add both tables and their guards."""

    dependencies = [("organisations", "0002_mail")]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=new_id("inv"),
                        editable=False,
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("role", models.CharField(choices=ROLES, max_length=10)),
                ("token_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(default=invitation_end)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("invited_by", key(settings.AUTH_USER_MODEL, related_name="+")),
                ("organisation", key("organisations.organisation", related_name="invitations")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["organisation", "email"],
                        condition=Q(accepted_at=None, withdrawn_at=None),
                        name="one_open_invitation_a_person",
                    ),
                    models.CheckConstraint(
                        condition=Q(accepted_at=None) | Q(withdrawn_at=None),
                        name="invitation_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=Q(email=Lower("email")),
                        name="invitation_has_an_address_in_lower_case",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MembershipChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("role_before", models.CharField(blank=True, choices=ROLES, max_length=10)),
                ("role_after", models.CharField(blank=True, choices=ROLES, max_length=10)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("by", key(settings.AUTH_USER_MODEL, null=True, related_name="+")),
                ("invitation", key("organisations.invitation", null=True, related_name="+")),
                ("organisation", key("organisations.organisation", related_name="+")),
                ("person", key(settings.AUTH_USER_MODEL, null=True, related_name="+")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "-id"], name="changes_of_organisation")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(person__isnull=False) | Q(invitation__isnull=False),
                        name="change_is_about_somebody",
                    ),
                    models.CheckConstraint(
                        condition=~Q(kind__in=["role_changed", "removed"])
                        | Q(by__isnull=True)
                        | ~Q(by=F("person")),
                        name="nobody_changes_their_own_role",
                    ),
                ],
            },
        ),
        run_sql("organisations", "owners_v1"),
        run_sql("organisations", "cache_v1"),
    ]
