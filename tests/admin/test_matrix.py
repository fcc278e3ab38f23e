"""Who may do what in the admin: one table over every page and action, against every group."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse

from organisations.models import User
from organisations.services.staff_groups import GROUPS
from tests.factories import DocumentFactory, UserFactory
from tests.test_access import clients, lantern, paths, rows, sealed

__all__ = ["clients", "lantern", "paths", "rows", "sealed"]

# Groups by their first letters, in this order; a superuser may do all that anybody may.
LETTERS = {"reviewer": "R", "lead": "L", "auditor": "A", "operator": "O"}
ROLES = ("nobody", *LETTERS, "superuser")
EVERYBODY, DESK, NOBODY = "RLAO", "RLA", ""
# Who sees a model's lists, pages and histories.
LOOKS = {
    "admin/logentry": EVERYBODY,
    "auth/group": "A",
    "credits/creditgrant": EVERYBODY,
    "credits/grantrule": EVERYBODY,
    "credits/ownerlisting": EVERYBODY,
    "donations/donation": DESK,
    "donations/fund": EVERYBODY,
    "donations/recurringgift": DESK,
    "donations/refundrequest": DESK,
    "ledger/booklisting": EVERYBODY,
    "ledger/entrylisting": EVERYBODY,
    "organisations/apikey": EVERYBODY,
    "organisations/mail": EVERYBODY,
    "organisations/organisation": EVERYBODY,
    "organisations/user": DESK,
    "procrastinate/procrastinatejob": "AO",
    "reviews/case": EVERYBODY,
    "reviews/decision": EVERYBODY,
    "reviews/hold": EVERYBODY,
    "reviews/ruleversion": EVERYBODY,
    "reviews/sanctionlist": EVERYBODY,
    "reviews/screening": EVERYBODY,
    "treasury/balancetransaction": EVERYBODY,
    "treasury/dispute": EVERYBODY,
    "treasury/payout": EVERYBODY,
    "treasury/stripebalance": EVERYBODY,
    "treasury/stripereading": EVERYBODY,
    "webhooks/backfill": EVERYBODY,
    "webhooks/delivery": EVERYBODY,
    "webhooks/endpoint": EVERYBODY,
    "webhooks/stripeevent": EVERYBODY,
    "webhooks/worker": EVERYBODY,
}
# Who may add, and who may post to a row's page; nobody deletes anything.
ADDS = {"auth/group": NOBODY, "organisations/user": NOBODY}
CHANGES = {
    "auth/group": NOBODY,
    "organisations/user": NOBODY,
    "reviews/case": "RL",
    "reviews/ruleversion": "L",
}
ACTIONS = {
    "donations/donation": {"erase": "L"},
    "ledger/entrylisting": {"correct": NOBODY},
    "organisations/apikey": {"revoke": "O"},
    "organisations/user": {"remove_second_factors": NOBODY},
    "reviews/case": dict.fromkeys(("close", "keep", "put_back", "put_off", "take"), "RL"),
    "treasury/stripereading": {"sweep": "O"},
    "webhooks/backfill": {"backfill": "O"},
    "webhooks/stripeevent": {"process_again": "O"},
}
# Pages beside those that every model has, by their names.
MORE = {
    "organisation-document": DESK,
    "reviews_ruleversion_propose": "L",
    "figures": EVERYBODY,
    "figures-export": EVERYBODY,
}
CLOSED = {"auth_user_password_change"}  # even to superusers: nobody sets another's password
# The site's own pages, which show nothing of a model: the same for everybody of the staff.
SITE = {
    "index": 200,
    "login": 302,
    "logout": 405,
    "password_change": 302,
    "password_change_done": 200,
    "autocomplete": 403,
    "jsi18n": 200,
}
USUAL = ("changelist", "add", "history", "delete", "change")
NAMES = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}


def patterns(resolver: list[URLPattern | URLResolver] | None = None) -> Iterator[URLPattern]:
    """Yield every route of the admin."""
    for pattern in admin.site.get_urls() if resolver is None else resolver:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns)
        else:
            yield pattern


def test_every_page_and_action_is_in_the_table():
    usual = {f"{name.replace('/', '_')}_{page}" for name in NAMES for page in USUAL}
    unnamed = {None, "view_on_site", "app_list"}  # ways to other pages, which are asked themselves
    acts = {name: action_names(model_admin) for name, model_admin in admins().items()}

    assert set(LOOKS) == NAMES
    assert {pattern.name for pattern in patterns()} - unnamed == usual | {*SITE, *MORE, *CLOSED}
    assert {name: names for name, names in acts.items() if names} == {
        name: set(actions) for name, actions in ACTIONS.items()
    }


def admins() -> dict[str, ModelAdmin]:
    """Return what is registered, by the names of the table."""
    return {
        f"{model._meta.app_label}/{model._meta.model_name}": model_admin
        for model, model_admin in admin.site._registry.items()
    }


def action_names(model_admin: ModelAdmin) -> set[str]:
    """Return the actions that somebody may be offered."""
    # Nobody deletes: below it is seen that this one is offered to nobody.
    return {name for _, name, _ in model_admin._get_base_actions()} - {"delete_selected"}


@pytest.fixture
def staff(db) -> dict[str, User]:
    """Return somebody of each group, somebody of none, and a superuser."""
    people = {name: UserFactory(is_staff=True) for name in LETTERS}
    for name, person in people.items():
        person.groups.add(Group.objects.get(name=name))
    chief = UserFactory(is_staff=True, is_superuser=True)
    return people | {"nobody": UserFactory(is_staff=True), "superuser": chief}


def may(role: str, letters: str) -> bool:
    """Tell whether a role is among the letters."""
    return role == "superuser" or LETTERS.get(role, "-") in letters


def pages(role: str, name: str, pk: str) -> Iterator[tuple[str, str, bool]]:
    """Yield method and path of each of a model's pages, and whether a role may open it."""
    here, looks = f"/admin/{name}/", may(role, LOOKS[name])
    adds = name in ADDS and may(role, ADDS[name])
    changes = name in CHANGES and may(role, CHANGES[name])
    yield from (("get", here + rest, looks) for rest in ("", f"{pk}/change/", f"{pk}/history/"))
    yield from ((method, f"{here}add/", adds) for method in ("get", "post"))
    yield "post", f"{here}{pk}/change/", changes
    yield from ((method, f"{here}{pk}/delete/", False) for method in ("get", "post"))


def args_of(name: str, place: str) -> list[str]:
    """Return what a page's address needs: what stands in its place, if it has one."""
    [pattern] = [each for each in patterns() if each.name == name]
    return [place] * pattern.pattern.regex.groups


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_the_pages_of_the_table(role, staff, paths, rows):
    client, wrong, place = Client(), [], DocumentFactory().id
    client.force_login(staff[role])
    asked = [page for name in NAMES for page in pages(role, name, rows[f"admin/{name}/"])]
    others = {**MORE, **dict.fromkeys(CLOSED)}
    for name, letters in others.items():
        is_open = letters is not None and may(role, letters)
        asked.append(("get", reverse(f"admin:{name}", args=args_of(name, place)), is_open))

    for method, path, is_open in asked:
        status = getattr(client, method)(path).status_code
        opened = {200, 302} if method == "post" else {200}  # posting may lead on
        if status not in (opened if is_open else {403}):
            wrong.append((method, path, status))

    assert wrong == []
    for name, expected in SITE.items():
        assert client.get(reverse(f"admin:{name}")).status_code == expected, name


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_offered_the_actions_of_the_table(role, staff):
    request = RequestFactory().get("/")
    request.user = staff[role]

    for name, model_admin in admins().items():
        acts = ACTIONS.get(name, {})
        expected = {action for action, letters in acts.items() if may(role, letters)}
        assert set(model_admin.get_actions(request)) == expected, name


@pytest.mark.parametrize("role", [role for role in ROLES if role != "nobody"])
def test_every_group_needs_a_second_factor(role, staff, settings):
    settings.REQUIRE_SECOND_FACTOR = True
    client = Client()
    client.force_login(staff[role])

    for name in ("organisations/organisation", "reviews/case"):
        page = client.get(f"/admin/{name}/", follow=True)
        assert page.redirect_chain[-1][0] == reverse("mfa_index"), name


def test_an_auditor_changes_nothing(staff):
    rights = staff["auditor"].get_all_permissions()

    assert "admin.view_logentry" in rights
    assert {name for name in rights if ".view_" not in name} == set()


def test_nobody_acts_as_somebody_else(chief, staff):
    words = ("impersonat", "hijack", "login_as", "loginas", "sudo", "become", "switch")
    routes = [str(pattern.pattern) + str(pattern.name) for pattern in patterns()]

    assert [route for route in routes if any(word in route.lower() for word in words)] == []
    page = chief.get(f"/admin/organisations/user/{staff['lead'].pk}/change/").content.decode()
    assert "/password/" not in page
    assert 'name="password"' not in page


def test_the_table_of_groups_is_the_one_that_is_tested():
    assert set(GROUPS) == set(LETTERS)
