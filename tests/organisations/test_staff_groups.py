"""The staff's groups: made by every migration, kept by the table, added to by operators."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate

from organisations.services.staff_groups import GROUPS
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ALL_LOOK = {"reviews.view_case", "organisations.view_organisation", "admin.view_logentry"}
WHO_MAY = {
    "reviews.decide_case": {"reviewer", "lead"},
    "organisations.review_organisation": {"reviewer", "lead"},
    "organisations.view_document": {"reviewer", "lead", "auditor"},
    "donations.view_donation": {"reviewer", "lead", "auditor"},
    "reviews.set_rules": {"lead"},
    "donations.erase_donor": {"lead"},
    "organisations.change_apikey": {"operator"},
    "treasury.sweep_account": {"operator"},
    "webhooks.process_event": {"operator"},
    "webhooks.backfill_events": {"operator"},
    "sessions.view_session": {"auditor"},
    "ledger.correct_entry": set(),
    "organisations.change_user": set(),
    "auth.change_group": set(),
}


def rights(name):
    """Return what somebody in a group may do."""
    person = UserFactory(is_staff=True)
    person.groups.add(Group.objects.get(name=name))
    return person.get_all_permissions()


def migrated():
    """Say that every app was migrated, as Django does at the end of a migration."""
    for app in apps.get_app_configs():
        post_migrate.send(app, app_config=app, using="default", verbosity=0, interactive=False)


def test_each_group_may_do_what_the_table_says():
    found = {name: rights(name) for name in GROUPS}

    assert all(found[name] >= ALL_LOOK for name in GROUPS)
    for right, names in WHO_MAY.items():
        assert {name for name in GROUPS if right in found[name]} == names, right


def test_every_name_in_the_table_is_a_permission():
    there = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    named = {name for names in GROUPS.values() for name in names if "*" not in name}

    assert named - there == set()


def test_what_is_missing_is_put_back_and_what_was_added_stays():
    before = rights("reviewer")
    reviewers = Group.objects.get(name="reviewer")
    own = Group.objects.create(name="Volunteers")
    added = Permission.objects.get(codename="correct_entry")
    reviewers.permissions.set([added])
    Group.objects.get(name="lead").delete()

    migrated()
    migrated()

    assert rights("reviewer") == before | {"ledger.correct_entry"}
    assert "reviews.set_rules" in rights("lead")
    assert not own.permissions.exists()
    assert Group.objects.count() == len(GROUPS) + 1
