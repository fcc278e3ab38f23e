"""The API's description, and the pages that show it."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from ledger.api.filters import DESCRIPTIONS
from ledger.operations import MoneyOperation
from webhooks.models import Topic

TOLD = {"EntryTold", "GiftTold", "PayoutTold"}


@pytest.fixture
def schema(db) -> dict:
    """The description, as it is served."""
    response = APIClient().get("/v1/schema", HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert response.status_code == 200
    return response.json()


def test_the_description_is_valid_and_without_warnings(schema, db):
    validate_schema(schema)
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())

    assert schema["openapi"].startswith("3.1")


def test_every_url_of_the_api_is_described(schema):
    public = "/v1/public/organisations"
    one = f"{public}/{{organisation}}"

    assert set(schema["paths"]) == {
        "/v1/donations",
        "/v1/donations/{donation}",
        "/v1/donations/{donation}/refunds",
        "/v1/ledger",
        "/v1/ledger-entries",
        "/v1/ledger/{owner_id}",
        "/v1/ledger/{owner_id}/entries",
        "/v1/public/heads",
        "/v1/webhook-endpoints",
        "/v1/webhook-endpoints/{endpoint}",
        public,
        one,
        f"{one}/accounts/{{account}}/entries",
        f"{one}/balances",
        f"{one}/ledger",
        f"{one}/ledger/entries/{{sequence}}",
        f"{one}/ledger/entries/{{sequence}}/proof",
        f"{one}/ledger/export",
        f"{one}/ledger/head",
    }


def test_every_message_to_integrators_is_described(schema):
    assert list(schema["webhooks"]) == list(Topic)
    for topic, described in schema["webhooks"].items():
        assert described["post"]["summary"] == Topic(topic).label
        content = described["post"]["requestBody"]["content"]["application/json"]
        assert content["schema"]["$ref"].removeprefix("#/components/schemas/") in TOLD


def test_keys_are_asked_for_where_they_are_needed_only(schema):
    secured = {
        path
        for path, operations in schema["paths"].items()
        if all(operation["security"] == [{"ApiKey": []}] for operation in operations.values())
    }

    assert {path for path in schema["paths"] if "public" not in path} == secured
    assert schema["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"


def test_every_refusal_is_described_as_a_problem(schema):
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert schema["components"]["schemas"]["Problem"]["required"]


def test_the_body_of_a_gift_is_described_strictly(schema):
    gift = schema["components"]["schemas"]["PromiseDonationRequest"]

    assert gift["required"] == ["amount", "currency", "flow"]
    assert gift["properties"]["amount"]["maximum"] == 2**53 - 1


def test_the_body_of_an_operation_is_described_strictly(schema):
    operation = schema["components"]["schemas"]["PostOperationRequest"]
    posted = schema["components"]["schemas"]["Posted"]

    assert operation["required"] == ["nonce", "operation", "owner_id"]
    assert operation["properties"]["amount"]["minimum"] == -(2**53) + 1
    assert operation["properties"]["owner_id"]["maxLength"] == 128
    assert operation["properties"]["owner_id"]["description"] == "Your own id of the owner."
    assert set(posted["properties"]) == {
        "owner_id", "operation", "amount", "balance", "nonce", "sequence", "entry_hash",
    }  # fmt: skip


def test_every_question_to_a_ledger_is_described(schema):
    one = "/v1/public/organisations/{organisation}"

    def asked(path):
        parameters = schema["paths"][path]["get"]["parameters"]
        return {
            each["name"]: (each["schema"], each.get("description", ""))
            for each in parameters
            if each["in"] == "query"
        }

    text, number = {"type": "string"}, {"type": "integer"}
    day, moment = ["2026-11-21"], ["2026-11-21T03:35:00Z"]
    entries = asked(f"{one}/ledger")
    assert entries["operation"] == (
        {**text, "enum": [str(name) for name in MoneyOperation]},
        DESCRIPTIONS["operation"],
    )
    assert entries["since"] == ({**text, "examples": day}, DESCRIPTIONS["since"])
    assert entries["until"] == ({**text, "examples": moment}, DESCRIPTIONS["until"])
    for path in (f"{one}/balances", "/v1/ledger/{owner_id}", "/v1/ledger/{owner_id}/entries"):
        told = asked(path)
        assert told["at"] == (text, DESCRIPTIONS["at"])
        assert told["at_sequence"] == (number, DESCRIPTIONS["at_sequence"])
    assert asked(f"{one}/ledger/export")["from_sequence"] == (
        {**number, "minimum": 0, "default": 0},
        DESCRIPTIONS["from_sequence"],
    )
    assert asked(f"{one}/accounts/{{account}}/entries")["currency"][1] == DESCRIPTIONS["currency"]


def test_the_description_is_served_as_yaml_to_who_asks_for_nothing(client, db):
    response = client.get("/v1/schema")

    assert response.status_code == 200
    assert b"openapi: 3.1" in response.content


@pytest.mark.parametrize("path", ["/v1/docs", "/v1/redoc"])
def test_the_readers_ask_nobody_else_and_run_nothing_inline(client, db, path):
    response = client.get(path)
    page = response.content.decode()

    assert response.status_code == 200
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "script-src 'self';" in response["Content-Security-Policy"] + ";"


def test_swaggers_script_is_a_file_of_its_own(client, db):
    response = client.get("/v1/docs?script=")

    assert response["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in response.content
