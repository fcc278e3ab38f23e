"""Who may open what: one table, every route of the site against everybody who may come."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
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
from organisations.api.scoping import OrganisationScoped
from organisations.models import Membership, Organisation, User
from tests.factories import (
    PASSWORD,
    BackfillFactory,
    BalanceTransactionFactory,
    CaseFactory,
    CreditGrantFactory,
    DecisionFactory,
    DeliveryFactory,
    DisputeFactory,
    DocumentFactory,
    DonationFactory,
    EndpointFactory,
    GrantRuleFactory,
    HoldFactory,
    InvitationFactory,
    MailFactory,
    MembershipFactory,
    OrganisationFactory,
    PayoutFactory,
    RecurringGiftFactory,
    RefundRequestFactory,
    RuleVersionFactory,
    SanctionListFactory,
    ScreeningFactory,
    StripeBalanceFactory,
    StripeEventFactory,
    StripeReadingFactory,
    UserFactory,
    WorkerFactory,
    gift_entries,
    key_of,
    stamped,
)
from tests.treasury.movements import book_all, charged

ACTORS = ("nobody", "stranger", "key", "member", "staff", "superuser")
PUBLIC = "v1/public/organisations"
ONE = f"{PUBLIC}/<slug:organisation>"
# Route → the status of GET for: nobody, a stranger's key, the organisation's key, a member's
# session, a member of staff without any permission, a superuser.
EVERYBODY = (200, 200, 200, 200, 200, 200)
SIGNED_OUT = (302, 302, 302, 302)
SIGNED_IN = (302, 302, 302)
POSTED = (302, 302, 302, 405, 405, 405)
MEMBERS_OWN = (302, 302, 302, 200, 200, 200)
ASKS_FIRST = (302, 302, 302, 302, 302, 302)
TABLE = {
    "": EVERYBODY,
    "organisations": EVERYBODY,
    "o/<slug:slug>": EVERYBODY,
    "o/<slug:slug>/ledger": EVERYBODY,
    "o/<slug:slug>/ledger/<int:sequence>": EVERYBODY,
    "o/<slug:slug>/ledger/<int:sequence>/qr.svg": EVERYBODY,
    "o/<slug:slug>/ledger/accounts/<str:currency>/<str:name>": EVERYBODY,
    "o/<slug:slug>/payouts": EVERYBODY,
    "o/<slug:slug>/payouts/<slug:payout>": EVERYBODY,
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
    "me": EVERYBODY,
    "me/open": (410, 410, 410, 410, 410, 410),  # has no token
    "me/close": (405, 405, 405, 405, 405, 405),
    "me/gifts/<slug:recurring_id>/pause": (405, 405, 405, 405, 405, 405),
    "me/gifts/<slug:recurring_id>/resume": (405, 405, 405, 405, 405, 405),
    # Donors come by a link in their mail.
    "me/gifts/<slug:recurring_id>/amount": (303, 303, 303, 303, 303, 303),
    "me/gifts/<slug:recurring_id>/cancel": (303, 303, 303, 303, 303, 303),
    "me/gifts/<slug:recurring_id>/mend": (404, 404, 404, 404, 404, 404),
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
    # `key` has the scope for gifts, not the one for webhooks.
    "v1/webhook-endpoints": (401, 403, 403, 401, 401, 401),
    "v1/webhook-endpoints/<slug:endpoint>": (401, 403, 403, 401, 401, 401),
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
    # A scope of its own: `key` can promise gifts, not give them back.
    "v1/donations/<slug:donation>/refunds": (401, 403, 403, 401, 401, 401),
    # What an application keeps: `key` has the scope for gifts, not the one for the ledger.
    "v1/ledger": (401, 403, 403, 401, 401, 401),
    "v1/ledger-entries": (401, 403, 403, 401, 401, 401),
    "v1/ledger/<owner:owner_id>": (401, 403, 403, 401, 401, 401),
    "v1/ledger/<owner:owner_id>/entries": (401, 403, 403, 401, 401, 401),
    "sign-in": (200, 200, 200, *SIGNED_IN),
    "sign-in/second": ASKS_FIRST,  # for who is on the way in
    "sign-in/passkey": ASKS_FIRST,
    "sign-in/inactive": EVERYBODY,
    "sign-out": (405, 405, 405, 405, 405, 405),
    "account": MEMBERS_OWN,
    "account/email": MEMBERS_OWN,
    "account/password": MEMBERS_OWN,
    "account/password/set": ASKS_FIRST,  # for who has none
    # What matters for an account is opened by its password once more.
    "account/codes": ASKS_FIRST,
    "account/codes/remove": (302, 302, 302, 404, 404, 404),
    "account/passkeys/add": ASKS_FIRST,
    "account/passkeys/<int:pk>/remove": ASKS_FIRST,
    "account/recovery-codes": (302, 302, 302, 404, 404, 404),
    "account/recovery-codes/new": ASKS_FIRST,
    "account/confirm": MEMBERS_OWN,
    "account/confirm/code": ASKS_FIRST,
    "account/confirm/passkey": ASKS_FIRST,
    # A key that came by mail opens these.
    "^account/email/(?P<key>[-:\\w]+)$": MEMBERS_OWN,
    "password": EVERYBODY,
    "password/sent": EVERYBODY,
    "password/done": EVERYBODY,
    "^password/(?P<uidb36>\\w+)-(?P<key>[-\\w]+)$": EVERYBODY,
    "invitations/<slug:invitation_id>": (404, 404, 404, 404, 404, 404),
    "dashboard": (302, 302, 302, 200, 200, 200),
    "dashboard/<slug:slug>/payouts": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/gifts": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/gifts/find": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/gifts/<slug:donation_id>": (302, 302, 302, 200, 404, 404),
    # A gift that is not in the ledger cannot be given back.
    "dashboard/<slug:slug>/gifts/<slug:donation_id>/refund": (302, 302, 302, 409, 404, 404),
    "dashboard/<slug:slug>/members": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/members/invite": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/members/invitations/<slug:invitation_id>/again": POSTED,
    "dashboard/<slug:slug>/members/invitations/<slug:invitation_id>/withdraw": POSTED,
    "dashboard/<slug:slug>/members/leave": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/members/<int:member_id>": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/members/<int:member_id>/remove": POSTED,
    "dashboard/<slug:slug>/credits": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/giving": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/giving/terms": (302, 302, 302, 405, 405, 405),
    "dashboard/<slug:slug>/giving/remove": (302, 302, 302, 405, 405, 405),
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
    "dashboard/<slug:slug>/webhooks": (302, 302, 302, 200, 404, 404),
    "dashboard/<slug:slug>/webhooks/<slug:endpoint>": (302, 302, 302, 200, 404, 404),
    **{
        f"dashboard/<slug:slug>/webhooks/<slug:endpoint>/{act}": (302, 302, 302, 405, 405, 405)
        for act in (
            "secret",
            "test",
            "disable",
            "enable",
            "delete",
            "deliveries/<slug:delivery>/resend",
        )
    },
    "apply": EVERYBODY,
    "apply/begin": (410, 410, 410, 410, 410, 410),  # has no token
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
    "admin/login/": (200, 200, 200, 403, 302, 302),
    "admin/logout/": (*SIGNED_OUT, 405, 405),
    "admin/password_change/": (*SIGNED_OUT, 302, 302),
    "admin/password_change/done/": (*SIGNED_OUT, 200, 200),
    "admin/autocomplete/": (*SIGNED_OUT, 403, 403),
    "admin/jsi18n/": (*SIGNED_OUT, 200, 200),
    "admin/r/<path:content_type_id>/<path:object_id>/": (*SIGNED_OUT, 404, 404),
    # Nobody sets another's password.
    "admin/organisations/user/<id>/password/": (*SIGNED_OUT, 403, 403),
    "admin/organisations/organisation/documents/<slug:document_id>/": (*SIGNED_OUT, 403, 200),
    "admin/figures/": (*SIGNED_OUT, 403, 200),
    "admin/figures/export/": (*SIGNED_OUT, 403, 200),
    "admin/reviews/ruleversion/propose/": (*SIGNED_OUT, 403, 200),
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
def sealed(lantern) -> None:
    """Books of both kinds with entries, sealed and stamped."""
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


# What stands in the places of routes whose things are not made for each test.
SAME = {
    "<slug:slug>": "lantern",
    "<slug:organisation>": "lantern",
    "<path:tile>": "0/000.p/1",
    "<int:sequence>": "0",
    "<int:size>": "1",
    "<str:account>": "stripe",
    "<str:currency>": "EUR",
    "<str:name>": "stripe",
    "<owner:owner_id>": "ann",
    "<slug:application>": "credits",
    "<path:content_type_id>/<path:object_id>": "1/1",
    "<int:pk>": "0",
    "^account/email/(?P<key>[-:\\w]+)$": "account/email/nothing",
    "^password/(?P<uidb36>\\w+)-(?P<key>[-\\w]+)$": "password/a-b",
    "^v1(?:/|$)": "v1/nothing",
    "(?P<url>.*)$": "nothing/",
}


@pytest.fixture
def paths(lantern, sealed) -> dict[str, str]:
    """What stands in the routes' places."""
    donation = DonationFactory(organisation=lantern)
    endpoint = EndpointFactory(organisation=lantern)
    return {
        **SAME,
        "<slug:organisation_id>": lantern.id,
        "<slug:donation_id>": donation.id,
        "<slug:donation>": donation.id,
        "<slug:recurring_id>": RecurringGiftFactory(organisation=lantern).id,
        "<slug:payout>": PayoutFactory(organisation=lantern).stripe_id,
        "<slug:endpoint>": endpoint.id,
        "<slug:delivery>": DeliveryFactory(endpoint=endpoint).id,
        "<slug:document_id>": DocumentFactory(organisation=lantern).id,
        "<slug:handle>": handle_of(Owner(lantern, "credits", "ann")),
        "<id>": UserFactory().id,
        "<int:member_id>": str(MembershipFactory(organisation=lantern, role="viewer").pk),
        "<slug:invitation_id>": InvitationFactory(organisation=lantern).id,
    }


@pytest.fixture
def rows(lantern, clients) -> dict[str, str]:
    """Where the first row of each model is, in the admin."""
    kept = (BalanceTransactionFactory, StripeBalanceFactory, StripeReadingFactory)
    for factory in (*kept, BackfillFactory, DisputeFactory, RecurringGiftFactory):
        factory(organisation=lantern)
    gift = DonationFactory(organisation=lantern)
    book_all(lantern, charged(5000, donation_id=gift.id))
    RefundRequestFactory(donation=gift)
    StripeEventFactory(organisation=lantern)
    CaseFactory(organisation=lantern)
    decided = DecisionFactory(case=CaseFactory(organisation=lantern))
    HoldFactory(organisation=lantern)
    ScreeningFactory(organisation=lantern)
    RuleVersionFactory()
    SanctionListFactory()
    LogEntry.objects.log_actions(decided.by_id, [decided.case], CHANGE, "Seen.")
    CreditGrantFactory(organisation=lantern)
    GrantRuleFactory(organisation=lantern)
    # The walk may take longer than a worker may be silent.
    WorkerFactory(seen_at=timezone.now() + timedelta(hours=1))
    MailFactory()
    DeliveryFactory()
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


DONORS_ACTS = ("pause", "resume", "amount", "cancel", "mend")
# A secret in the link or in the message opens these, and nothing else does.
BY_SECRET = {
    "donations/<slug:donation_id>",
    "donations/<slug:donation_id>/opening",
    "donations/<slug:donation_id>/erase",
    "connect/stripe/return",
    # A donor's visit, which a link in a mail began.
    "me/open",
    "me/close",
    *(f"me/gifts/<slug:recurring_id>/{act}" for act in DONORS_ACTS),
    "invitations/<slug:invitation_id>",
    "apply/begin",
    "v1/webhooks/stripe",
}
# What says nothing: ways in and out, and that there is nothing.
WAYS = {"sign-in/second", "sign-in/passkey", "sign-out", "admin/login/", "admin/logout/"}
SAYS_NOTHING = {*WAYS, "log/heads/proof", "^v1(?:/|$)"}
REFUSED = {400, 401, 403, 404, 405, 409, 410}
DOORS = {"right", "key", "staff", "session", "secret"}


def views(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every route of the site, with its view."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern, route)
        else:
            yield route, pattern.callback


def door(route: str, view: Any) -> str:
    """Return what a route asks of who comes."""
    view_class = getattr(view, "view_class", getattr(view, "cls", object))
    if hasattr(view, "right"):
        return "right"
    if issubclass(view_class, OrganisationScoped):
        return "key"
    if route.startswith("admin/") and route not in WAYS:
        return "staff"
    if route in BY_SECRET:
        return "secret"
    if route.removeprefix("^").split("/")[0] in {"account", "dashboard"}:
        return "session"
    return "public" if route in SAYS_NOTHING or TABLE[route][0] == 200 else "none"


def test_every_route_is_public_by_the_table_or_asks_for_something():
    asked = {route: door(route, view) for route, view in views()}

    assert [route for route, what in asked.items() if what == "none"] == []
    assert set(asked.values()) == {*DOORS, "public"}


def test_who_is_nobody_gets_through_no_door(paths, rows):
    client, opened = Client(), []
    for route, view in views():
        path = route.replace("<path:object_id>", "1")
        for place, value in paths.items():
            path = path.replace(place, value)
        if "(?P<app_label>" in path or door(route, view) not in DOORS:
            continue
        for response in (client.get(f"/{path}"), client.post(f"/{path}")):
            way = response.headers.get("Location", "")
            is_sent_away = "next=" in way or way == "/me"
            if not is_sent_away and response.status_code not in REFUSED:
                opened.append((path, response.status_code))

    assert opened == []


def consoles() -> list[tuple[str, Any]]:
    """Return every route of an organisation's members, with its view."""
    return [each for each in views() if each[0].startswith("dashboard/<slug:slug>")]


def test_every_page_of_members_asks_for_a_right():
    assert [route for route, view in consoles() if not hasattr(view, "right")] == []


@pytest.mark.parametrize("role", Membership.Role)
def test_a_role_opens_what_it_has_the_right_to(lantern, paths, role):
    client = signed_in(MembershipFactory(organisation=lantern, role=role).user)

    # What ends the visitor's own part comes last.
    for route, view in sorted(consoles(), key=lambda each: each[0].endswith("/leave")):
        path = route
        for place, value in paths.items():
            path = path.replace(place, value)
        # What changes something takes POST alone; it is asked for the right all the same.
        statuses = {client.get(f"/{path}").status_code, client.post(f"/{path}").status_code}

        assert (403 in statuses) == (role not in ROLES[view.right]), route
        assert statuses <= {200, 302, 303, 400, 403, 404, 405, 409}


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
