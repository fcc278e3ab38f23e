"""Who may open what: one table, every route of the site against everybody who may come."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from procrastinate.contrib.django import app

from common.stripe_api import client
from credits.handles import handle_of
from credits.models import Owner
from credits.operations import CREDITS, CreditOperation
from credits.services import post_operation
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from organisations.access import ROLES
from organisations.models import Membership, Organisation, User
from tests.factories import (
    PASSWORD,
    BalanceTransactionFactory,
    CaseFactory,
    CreditGrantFactory,
    DocumentFactory,
    DonationFactory,
    GrantRuleFactory,
    MailFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeBalanceFactory,
    StripeEventFactory,
    StripeReadingFactory,
    UserFactory,
    WorkerFactory,
    gift_entries,
    key_of,
    stamped,
)

ACTORS = ("nobody", "stranger", "key", "member", "staff", "superuser")
PUBLIC = "v1/public/organisations"
ONE = f"{PUBLIC}/<slug:organisation>"
# Route → the status of GET for: nobody, a stranger's key, the organisation's key, a member's
# session, a member of staff without any permission, a superuser.
EVERYBODY = (200, 200, 200, 200, 200, 200)
SIGNED_OUT = (302, 302, 302, 302)
TABLE = {
    "": EVERYBODY,
    "organisations": EVERYBODY,
    "o/<slug:slug>": EVERYBODY,
    "o/<slug:slug>/ledger": EVERYBODY,
    "o/<slug:slug>/ledger/<int:sequence>": EVERYBODY,
    "o/<slug:slug>/ledger/<int:sequence>/qr.svg": EVERYBODY,
    "o/<slug:slug>/ledger/accounts/<str:currency>/<str:name>": EVERYBODY,
    "o/<slug:slug>/donate": EVERYBODY,
    "donations/<slug:donation_id>": (
        404,
        404,
        404,
        404,
        404,
        404,
    ),  # a token opens it, nothing else
    "donations/<slug:donation_id>/opening": (404, 404, 404, 404, 404, 404),
    "donations/<slug:donation_id>/erase": (404, 404, 404, 404, 404, 404),
    "verify": EVERYBODY,
    "verify/offline": EVERYBODY,
    "log/heads/checkpoint": EVERYBODY,
    "log/heads/tile/<path:tile>": EVERYBODY,
    "log/heads/proof": (404, 404, 404, 404, 404, 404),  # names no checkpoint
    "log/heads/checkpoints/<int:size>": EVERYBODY,
    "log/heads/checkpoints/<int:size>.tsr": EVERYBODY,
    "witnesses": EVERYBODY,
    "witnesses/policy": EVERYBODY,
    "log/<slug:organisation_id>/checkpoint": EVERYBODY,
    "log/<slug:organisation_id>/tile/<path:tile>": EVERYBODY,
    "v1/webhooks/stripe": (405, 405, 405, 405, 405, 405),
    "v1/public/heads": EVERYBODY,
    PUBLIC: EVERYBODY,
    ONE: EVERYBODY,
    f"{ONE}/ledger": EVERYBODY,
    f"{ONE}/ledger/entries/<int:sequence>": EVERYBODY,
    f"{ONE}/ledger/entries/<int:sequence>/proof": EVERYBODY,
    f"{ONE}/ledger/head": EVERYBODY,
    f"{ONE}/ledger/export": EVERYBODY,
    f"{ONE}/balances": EVERYBODY,
    f"{ONE}/accounts/<str:account>/entries": EVERYBODY,
    "v1/donations": (401, 200, 200, 401, 401, 401),
    "v1/donations/<slug:donation>": (401, 404, 200, 401, 401, 401),
    # What an application keeps: `key` has the scope for gifts, not the one for the ledger.
    "v1/ledger": (401, 403, 403, 401, 401, 401),
    "v1/ledger-entries": (401, 403, 403, 401, 401, 401),
    "v1/ledger/<owner:owner_id>": (401, 403, 403, 401, 401, 401),
    "v1/ledger/<owner:owner_id>/entries": (401, 403, 403, 401, 401, 401),
    "sign-in": EVERYBODY,
    "sign-out": (405, 405, 405, 405, 405, 405),
    "dashboard": (302, 302, 302, 200, 200, 200),
    "dashboard/<slug:slug>/credits": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/grant-rules": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/credits/<slug:application>": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/credits/<slug:application>/find": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/credits/<slug:application>/owners/<slug:handle>": (
        302,
        302,
        302,
        200,
        404,
        404,
    ),
    "apply": EVERYBODY,
    "dashboard/<slug:slug>/application": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/application/documents": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/application/documents/<slug:document_id>": (
        302,
        302,
        302,
        200,
        404,
        404,
    ),
    "dashboard/<slug:slug>/application/documents/<slug:document_id>/remove": (
        302,
        302,
        302,
        405,
        405,
        405,
    ),
    "dashboard/<slug:slug>/application/submit": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/stripe": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/stripe/open": (302, 302, 302, 405, 405, 405),
    # To Stripe and back; nobody is on the way.
    "dashboard/<slug:slug>/stripe/refresh": (302, 302, 302, 303, 404, 404),
    "dashboard/<slug:slug>/stripe/back": (302, 302, 302, 303, 404, 404),
    "dashboard/<slug:slug>/stripe/connect": (302, 302, 302, 405, 405, 405),
    "connect/stripe/return": (302, 302, 302, 400, 400, 400),
    "v1/schema": EVERYBODY,
    "v1/docs": EVERYBODY,
    "v1/redoc": EVERYBODY,
    "^v1(?:/|$)": (404, 404, 404, 404, 404, 404),
    "health": EVERYBODY,
    "ready": EVERYBODY,
    "admin/": (*SIGNED_OUT, 200, 200),
    "admin/login/": (200, 200, 200, 200, 302, 302),
    "admin/logout/": (*SIGNED_OUT, 405, 405),
    "admin/password_change/": (*SIGNED_OUT, 200, 200),
    "admin/password_change/done/": (*SIGNED_OUT, 200, 200),
    "admin/autocomplete/": (*SIGNED_OUT, 403, 403),
    "admin/jsi18n/": (*SIGNED_OUT, 200, 200),
    "admin/r/<path:content_type_id>/<path:object_id>/": (*SIGNED_OUT, 404, 404),
    "admin/organisations/user/<id>/password/": (*SIGNED_OUT, 403, 200),
    "admin/organisations/organisation/documents/<slug:document_id>/": (*SIGNED_OUT, 403, 200),
    "admin/(?P<url>.*)$": (*SIGNED_OUT, 404, 404),
}
# The admin's pages of one model: lists are for who may view, and only people and their groups
# can be added, by superusers.
MODEL_TABLE = {
    "": (*SIGNED_OUT, 403, 200),
    "add/": (*SIGNED_OUT, 403, 403),
    "<path:object_id>/history/": (*SIGNED_OUT, 403, 200),
    "<path:object_id>/delete/": (*SIGNED_OUT, 403, 403),
    "<path:object_id>/change/": (*SIGNED_OUT, 403, 200),
    "<path:object_id>/": (*SIGNED_OUT, 302, 302),
}
EDITABLE = {"organisations/user", "auth/group"}


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Return every route of the site."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            yield route


def expected() -> dict[str, tuple[int, ...]]:
    """Return the whole table: the routes above, and those of each model in the admin."""
    table = dict(TABLE)
    labels = [f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry]
    for label in labels:
        for route, statuses in MODEL_TABLE.items():
            table[f"admin/{label}/{route}"] = statuses
        if label in EDITABLE:
            table[f"admin/{label}/add/"] = (*SIGNED_OUT, 403, 200)
    apps = sorted({label.partition("/")[0] for label in labels})
    return table | {f"app:{app}": (*SIGNED_OUT, 404, 200) for app in apps}


def named(route: str) -> list[str]:
    """Return the names in the table that a route has."""
    if "(?P<app_label>" not in route:
        return [route]
    return [f"app:{app}" for app in route.partition("<app_label>")[2].rstrip(")/$").split("|")]


@pytest.fixture(autouse=True)
def nobody_answers(settings) -> Iterator[None]:
    """Let Stripe be out of reach."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    client.cache_clear()
    yield
    client.cache_clear()


@pytest.fixture
def lantern(db) -> Organisation:
    """The organisation that everything is about."""
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def clients(lantern) -> dict[str, Client]:
    """Everybody who may come."""
    users = {
        "member": MembershipFactory(organisation=lantern).user,
        "staff": UserFactory(is_staff=True),
        "superuser": UserFactory(is_staff=True, is_superuser=True),
    }
    keys = {"key": key_of(lantern), "stranger": key_of(OrganisationFactory())}
    found = {"nobody": Client()}
    found |= {name: Client(headers={"Authorization": f"Bearer {keys[name]}"}) for name in keys}
    return found | {name: signed_in(user) for name, user in users.items()}


def signed_in(user: User) -> Client:
    """Return a browser in which somebody has signed in."""
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


@pytest.fixture
def paths(lantern) -> dict[str, str]:
    """What stands in the routes' places."""
    donation = DonationFactory(organisation=lantern)
    gift_entries(lantern)
    post_operation(
        organisation=lantern,
        application=CREDITS,
        owner_id="ann",
        operation=CreditOperation.DAILY_REWARD,
        nonce="daily:ann:2026-11-21",
    )
    seal(book=lantern.books.get(book="public"))
    stamped(seal_heads())
    return {
        "<slug:slug>": "lantern",
        "<slug:organisation>": "lantern",
        "<slug:organisation_id>": lantern.id,
        "<path:tile>": "0/000.p/1",
        "<int:sequence>": "0",
        "<int:size>": "1",
        "<str:account>": "stripe",
        "<str:currency>": "EUR",
        "<str:name>": "stripe",
        "<slug:donation_id>": donation.id,
        "<slug:donation>": donation.id,
        "<owner:owner_id>": "ann",
        "<slug:application>": "credits",
        "<slug:document_id>": DocumentFactory(organisation=lantern).id,
        "<slug:handle>": handle_of(Owner(lantern, "credits", "ann")),
        "<path:content_type_id>/<path:object_id>": "1/1",
        "<id>": UserFactory().id,
        "^v1(?:/|$)": "v1/nothing",
        "(?P<url>.*)$": "nothing/",
    }


@pytest.fixture
def rows(lantern, clients) -> dict[str, str]:
    """Where the first row of each model is, in the admin."""
    for factory in (BalanceTransactionFactory, StripeBalanceFactory, StripeReadingFactory):
        factory(organisation=lantern)
    StripeEventFactory(organisation=lantern)
    CaseFactory(organisation=lantern)
    CreditGrantFactory(organisation=lantern)
    GrantRuleFactory(organisation=lantern)
    WorkerFactory(seen_at=timezone.now())
    MailFactory()
    Group.objects.create(name="Reviewers")
    app.configure_task("anything", allow_unknown=True).defer()
    models = admin.site._registry
    first = {model: model._default_manager.order_by("pk").first() for model in models}
    return {
        f"admin/{model._meta.app_label}/{model._meta.model_name}/": quote(str(row.pk))
        for model, row in first.items()
    }


def test_every_route_is_in_the_table():
    there = [name for route in routes() for name in named(route)]

    assert set(there) == set(expected())
    assert len(there) == len(set(there))


def consoles(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every route of an organisation's members, with its view."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from consoles(pattern, route)
        elif route.startswith("dashboard/<slug:slug>"):
            yield route, pattern.callback


def test_every_page_of_members_asks_for_a_right():
    assert [route for route, view in consoles() if not hasattr(view, "right")] == []


@pytest.mark.parametrize("role", Membership.Role)
def test_a_role_opens_what_it_has_the_right_to(lantern, paths, role):
    client = signed_in(MembershipFactory(organisation=lantern, role=role).user)

    for route, view in consoles():
        path = route
        for place, value in paths.items():
            path = path.replace(place, value)
        # What changes something takes POST alone; it is asked for the right all the same.
        statuses = {client.get(f"/{path}").status_code, client.post(f"/{path}").status_code}

        assert (403 in statuses) == (role not in ROLES[view.right]), route
        assert statuses <= {200, 302, 303, 400, 403, 404, 405}


def test_everybody_gets_what_the_table_says(clients, paths, rows):
    wrong = []
    for route, statuses in expected().items():
        path = route.replace("app:", "admin/") + ("/" if route.startswith("app:") else "")
        model, place, rest = path.partition("<path:object_id>")
        path = model + rows[model] + rest if model in rows and place else path
        for place, value in paths.items():
            path = path.replace(place, value)
        for actor, status in zip(ACTORS, statuses, strict=True):
            found = clients[actor].get(f"/{path}").status_code
            if found != status:
                wrong.append((route, actor, status, found))

    assert wrong == []
