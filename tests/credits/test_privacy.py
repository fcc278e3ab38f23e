"""Private books: no page, no API and no log tells what is in them."""

import json
import logging
from io import StringIO
from urllib.parse import quote

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import get_resolver

from common.logs import JsonFormatter
from credits import services
from ledger.models import Entry
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from organisations.models import ApiKey
from tests.credits.conftest import URL, Program
from tests.database import running_server
from tests.factories import OrganisationFactory, PayoutFactory, gift_entries, key_of, stamped
from tests.test_access import routes

SECRET, NONCE = "zaphod-4711", "nonce-0815"
API = "/v1/public/organisations/lantern"
PUBLIC = [
    "/",
    "/organisations",
    "/verify",
    "/verify/offline",
    "/witnesses",
    "/witnesses/policy",
    "/o/lantern",
    "/o/lantern/ledger",
    "/o/lantern/ledger?operation=CORRECTION",
    "/o/lantern/ledger/0",
    "/o/lantern/ledger/1",
    "/o/lantern/ledger/1/qr.svg",
    "/verify?organisation=lantern&entry=1",
    "/o/lantern/ledger/accounts/EUR/stripe",
    "/o/lantern/payouts",
    "/o/lantern/payouts/po_1",
    "/o/lantern/donate",
    "/me",
    "/v1/public/organisations",
    API,
    f"{API}/ledger",
    f"{API}/ledger?operation=GENESIS",
    f"{API}/ledger/entries/0",
    f"{API}/ledger/entries/1",
    f"{API}/ledger/entries/1/proof",
    "/log/heads/checkpoint",
    "/log/heads/tile/0/000.p/1",
    "/log/heads/tile/entries/000.p/1",
    "/log/heads/proof?origin=ledger.example/log/{id}&size=2",
    "/log/heads/checkpoints/1",
    "/log/heads/checkpoints/1.tsr",
    "/v1/public/heads",
    "/log/{id}/checkpoint",
    "/log/{id}/tile/0/000.p/2",
    "/log/{id}/tile/entries/000.p/2",
    f"{API}/ledger/head",
    f"{API}/balances",
    f"{API}/balances?at_sequence=1",
    f"{API}/accounts/stripe/entries",
    *(f"{API}/ledger/export?format={name}" for name in ("ndjson", "json", "csv", "beancount")),
    "/v1/schema",
    "/health",
]


def body_of(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    content = getattr(response, "streaming_content", None)
    return (b"".join(content) if content else response.content).decode(errors="replace")


def test_the_public_sees_nothing_of_a_private_book(client, program, organisation):
    gift_entries(organisation)
    PayoutFactory(organisation=organisation, stripe_id="po_1")
    seal(book=organisation.books.get(book="public"))
    stamped(seal_heads())
    paths = [path.format(id=organisation.id) for path in PUBLIC]
    before = {path: body_of(client, path) for path in paths}
    program.post(SECRET, "CREDIT_ADD", NONCE, amount=1234567)
    program.post(SECRET, "CREDIT_SPEND", f"{NONCE}-2", amount=-7654)
    hashes = Entry.objects.of(organisation, "credits").values_list("entry_hash", flat=True)

    seal(book=organisation.books.get(book="credits"))
    seal_heads()

    for path in paths:
        body = body_of(client, path)

        assert SECRET not in body
        assert NONCE not in body
        assert "owner:" not in body
        assert not any(digest.removeprefix("sha256:")[:8] in body for digest in hashes)
        if path not in ("/o/lantern/donate", "/me"):  # their forms have tokens of their own
            assert body == before[path]


@pytest.mark.parametrize("account", ["issued", f"owner:{SECRET}", "genesis"])
def test_a_private_account_has_no_public_statement(client, program, account):
    program.post(SECRET, "CREDIT_ADD", NONCE)

    for path in (
        f"/o/lantern/ledger/accounts/CREDIT/{account}",
        f"/o/lantern/ledger/accounts/EUR/{account}",
        f"{API}/accounts/{account}/entries",
        f"{API}/accounts/{account}/entries?currency=CREDIT",
    ):
        assert client.get(path).status_code in (400, 404)


def test_the_list_of_public_routes_above_is_whole():
    public = {
        route
        for route in routes(get_resolver())
        if "public/" in route
        or route.startswith(("o/", "log/"))
        or route
        in ("", "organisations", "verify", "verify/offline", "witnesses", "witnesses/policy")
    }
    paths = [path.format(id="org_1").partition("?")[0] for path in PUBLIC]
    served = {get_resolver().resolve(path).route for path in paths}

    assert public <= served


def test_another_applications_key_sees_another_book(organisation, program, program_of):
    program.post(SECRET, "CREDIT_ADD", NONCE)
    donations = program_of(organisation, "donations")
    public = program_of(organisation, "public")
    unknown = program_of(organisation, "arcade")

    for other in (donations, public, unknown):
        for response in (
            other.client.get(f"{URL}/{SECRET}"),
            other.client.get(f"{URL}/{SECRET}/entries"),
            other.client.get(URL, {"owner_id": SECRET}),
            other.post(SECRET, "CREDIT_SPEND", "n1"),
        ):
            assert response.status_code == 400
            assert response.json()["code"] == "unknown_application"
    assert program.balance(SECRET) == 10


def test_another_organisations_key_sees_its_own(program, program_of):
    program.post(SECRET, "CREDIT_ADD", NONCE)
    stranger = program_of(OrganisationFactory())

    assert stranger.balance(SECRET) == 0
    assert stranger.history(SECRET) == []
    assert stranger.post(SECRET, "CREDIT_SPEND", "n1").json()["code"] == "insufficient_balance"


def test_a_key_needs_the_scope(organisation):
    secret = key_of(organisation, ApiKey.Scope.DONATIONS, application="credits")
    caller = Client(headers={"Authorization": f"Bearer {secret}"})

    for path in (URL, f"{URL}/ann", f"{URL}/ann/entries", "/v1/ledger-entries"):
        response = caller.get(path)
        assert response.status_code == 403
        assert response.json()["code"] == "scope_missing"
    assert caller.post(URL, b"{}", content_type="application/json").status_code == 403


def test_nobody_gets_in_without_a_key(client, db):
    for path in (URL, f"{URL}/ann", f"{URL}/ann/entries", "/v1/ledger-entries"):
        assert client.get(path).status_code == 401


@pytest.fixture
def log():
    """All that would be logged, as it is written."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("owner_id", [SECRET, f"é{SECRET}", f"{SECRET}\n"])
def test_a_log_names_the_route_and_not_the_owner(program, log, owner_id, client):
    path = f"{URL}/{quote(owner_id)}"
    client.get(path)
    client.get(f"{path}/entries")
    program.client.get(path, {"at_sequence": "9"})
    program.client.delete(path)
    program.post(owner_id, "CREDIT_SPEND", NONCE)
    program.post(owner_id, "NOPE", NONCE)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert SECRET not in log.getvalue()
    assert NONCE not in log.getvalue()
    assert {"GET /v1/ledger/<owner:owner_id>", "DELETE /v1/ledger/<owner:owner_id>"} <= {
        line["request"] for line in lines
    }
    assert "Unauthorized: GET /v1/ledger/<owner:owner_id>" in {line["event"] for line in lines}


def test_a_url_that_nothing_serves_is_logged_as_it_is(client, log, db):
    client.get("/nowhere")

    assert json.loads(log.getvalue())["request"] == "GET /nowhere"


def test_a_request_that_is_logged_in_other_words_is_named_by_its_route(rf, log):
    logging.getLogger("django.request").warning("odd", extra={"request": rf.get("/x")})

    assert json.loads(log.getvalue())["event"] == "odd"


def test_an_error_of_the_database_is_logged_without_the_row(program, log, monkeypatch):
    def refuse(**_):
        raise IntegrityError(f"refused\nDETAIL:  Failing row contains (owner:{SECRET}, 1).")

    monkeypatch.setattr(services, "append", refuse)
    response = program.post(SECRET, "CREDIT_ADD", NONCE)

    assert response.status_code == 500
    assert "IntegrityError: refused" in log.getvalue()
    assert SECRET not in log.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_databases_own_log_names_nobody():
    program = Program(OrganisationFactory())
    before = running_server().log.read_text(errors="replace")

    program.post(SECRET, "CREDIT_SPEND", NONCE)
    program.post(SECRET, "CREDIT_ADD", NONCE, amount=2**53 - 1)
    program.post(SECRET, "CREDIT_ADD", f"{NONCE}-2")

    written = running_server().log.read_text(errors="replace")[len(before) :]
    assert "account_is_not_overdrawn" in written
    assert SECRET not in written
    assert NONCE not in written
