"""
The groups that the staff's people are in: one table of what each may do, kept with every migration.

Names are `app.codename`; `*` stands for anything. What an operator adds to a group stays, and so do
groups of their own.
"""

from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission

LOOKING = (
    "admin.view_logentry",
    "credits.view_*",
    "donations.view_*",
    "ledger.view_*",
    "organisations.view_*",
    "reviews.view_*",
    "treasury.view_*",
    "webhooks.view_*",
)
REVIEWING = (*LOOKING, "reviews.decide_case", "organisations.review_organisation")
# Whoever runs the machine needs neither who gave nor an applicant's papers, and decides nothing.
RUNNING = (
    "admin.view_logentry",
    "credits.view_*",
    "donations.view_fund",
    "ledger.view_*",
    "organisations.view_apikey",
    "organisations.view_mail",
    "organisations.view_organisation",
    "procrastinate.view_*",
    "reviews.view_*",
    "treasury.view_*",
    "webhooks.view_*",
    "organisations.change_apikey",
    "treasury.sweep_account",
    "webhooks.backfill_events",
    "webhooks.process_event",
)
GROUPS: dict[str, tuple[str, ...]] = {
    "reviewer": REVIEWING,
    "lead": (*REVIEWING, "reviews.set_rules", "donations.erase_donor"),
    "auditor": ("*.view_*",),
    "operator": RUNNING,
}


def keep_groups(*, app: str, using: str) -> None:
    """Give the groups what the table says of one app's permissions; take nothing from them."""
    there = Permission.objects.using(using).filter(content_type__app_label=app)
    for name, patterns in GROUPS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(
            *(each for each in there if _matches(f"{app}.{each.codename}", patterns))
        )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
