"""The demo is a year of gifts through the real pipeline, and its books are right."""

import hashlib
import json
from pathlib import Path

import pytest
import requests

from tests.database import open_folder
from tests.house.conftest import (
    House,
    manage,
    processes_of,
    start,
    stop,
    surroundings,
    until,
)

# What the demo gave, and nobody of the other tests in this folder.
STORY = "SELECT * FROM donations_donation WHERE idempotency_key LIKE 'demo-%'"
SLUGS = ["lantern-house", "kawabe-forest-school", "saltmarsh-trust"]


def test_the_demo_has_a_year_of_gifts_of_every_kind(house: House):
    [(gifts, currencies)] = house.query(
        f"SELECT count(*), count(DISTINCT currency) FROM ({STORY}) AS gift WHERE sequence > 0"
    )
    operations = dict(
        house.query(
            "SELECT operation, count(*) FROM ledger_entry "
            "WHERE metadata ->> 'donation' IS NULL "
            f"OR metadata ->> 'donation' IN (SELECT id FROM ({STORY}) AS gift) GROUP BY 1"
        )
    )

    assert gifts == 309
    assert currencies == 2
    assert operations["GENESIS"] == 4
    assert operations["DONATION_RECEIVED"] == operations["PROCESSING_FEE"] == 309
    assert operations["DONATION_REFUNDED"] == 6
    assert operations["DISPUTE_OPENED"] == operations["DISPUTE_FEE"] == 2
    assert (operations["DONATION_HELD"], operations["HOLD_RELEASED"]) == (3, 1)
    assert operations["PAYOUT_SENT"] > 20


def test_every_entry_of_money_came_through_the_inbox_and_the_worker(house: House):
    states = dict(house.query("SELECT status, count(*) FROM webhooks_stripeevent GROUP BY 1"))
    [(without,)] = house.query(
        "SELECT count(*) FROM ledger_entry WHERE book = 'public' AND sequence > 0 "
        "AND operation <> 'BALANCE_ATTESTATION' "
        "AND nonce NOT LIKE 'stripe:%' AND nonce NOT LIKE 'hold:%'"
    )

    assert states.keys() == {"done", "parked"}
    assert states["done"] >= 3 * 300
    assert without == 0


def test_staff_have_cases_of_every_type(house: House):
    waiting = house.query("SELECT DISTINCT kind FROM reviews_case WHERE closed_at IS NULL")
    decided = dict(
        house.query(
            "SELECT kind, count(*) FROM reviews_case WHERE closed_by_id IS NOT NULL GROUP BY 1"
        )
    )
    proposed = house.query(
        "SELECT count(*) FROM reviews_decision JOIN reviews_case ON reviews_case.id = case_id "
        "WHERE closed_at IS NULL AND NOT is_final"
    )

    assert {kind for (kind,) in waiting} >= {
        *("account", "application", "audit", "card_testing", "dispute", "fraud_warning", "gift"),
        *("parked_event", "payout", "refund", "subscriber", "unclassified"),
    }
    assert decided == {"gift": 3, "fraud_warning": 1, "unclassified": 1}
    assert proposed == [(1,)]


def test_the_book_that_an_audit_found_damaged_verifies_again(house: House):
    [(subject, summary)] = house.query(
        "SELECT subject, summary FROM reviews_case WHERE kind IN ('audit', 'sealing')"
    )
    command = summary.rpartition("manage.py ")[2]

    assert subject == house.organisation("kawabe-forest-school")["id"] + "/public"
    assert summary.startswith(f"MALFORMED: {house.environment['DATA_DIR']}/checkpoints/{subject} ")
    assert house.manage(*command.split()).returncode == 0


def test_gifts_are_held_before_and_after_payment_and_were_released_and_refused(house: House):
    holds = house.query("SELECT kind, status, count(*) FROM reviews_hold GROUP BY 1, 2")

    assert set(holds) == {
        ("capture", "open", 2),
        ("capture", "released", 1),
        ("ledger", "open", 1),
        ("ledger", "released", 1),
        ("ledger", "refused", 1),
    }


def test_colleagues_of_the_demos_staff_can_sign_in(house: House):
    groups = dict(
        house.query(
            "SELECT person.email, team.name FROM organisations_user AS person "
            "JOIN organisations_user_groups AS belongs ON belongs.user_id = person.id "
            "JOIN auth_group AS team ON team.id = belongs.group_id"
        )
    )

    assert groups == {"reviewer@almoner.example": "reviewer", "lead@almoner.example": "lead"}
    assert [each["email"] for each in house.demo["reviewers"]] == sorted(groups, reverse=True)
    assert all(each["password"] for each in house.demo["reviewers"])


@pytest.mark.parametrize("slug", SLUGS)
def test_the_place_stripe_is_the_balance_that_stripe_tells(house: House, slug: str):
    account = house.organisation(slug)["stripe_account"]
    balance = house.stripe("GET", "/v1/balance", headers={"Stripe-Account": account})
    told: dict[str, int] = {}
    for part in [*balance["available"], *balance["pending"]]:
        told[part["currency"].upper()] = told.get(part["currency"].upper(), 0) + part["amount"]

    sides = house.public("/balances", slug)

    ours = {row["currency"]: row["amount"] for row in sides["places"] if row["account"] == "stripe"}
    assert ours == told
    assert sum(row["amount"] for row in sides["places"]) == sum(
        row["amount"] for row in sides["purposes"]
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_each_lines_sha256_is_the_next_lines_prev_entry_hash(house: House, slug: str):
    export = house.get(f"/v1/public/organisations/{slug}/ledger/export?format=ndjson")
    head = house.public("/ledger/head", slug)

    before = None
    for line in export.content.splitlines():
        assert json.loads(line)["prev_entry_hash"] == before
        before = "sha256:" + hashlib.sha256(line).hexdigest()

    assert before == head["head_hash"]


def test_a_gift_in_another_currency_is_shown_as_the_donor_gave_it(house: House):
    [(sequence,)] = house.query(
        "SELECT min(sequence) FROM ledger_entry JOIN organisations_organisation AS house "
        "ON house.id = organisation_id WHERE slug = 'lantern-house' "
        "AND operation = 'DONATION_RECEIVED' AND metadata -> 'presentment' ->> 'currency' = 'JPY'"
    )

    page = house.get(f"/o/lantern-house/ledger/{sequence}").text

    assert "5,000 JPY before exchange" in page


def test_the_servers_own_audit_finds_every_book_valid(house: House):
    audit = house.manage("audit_ledger")

    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert "VALID: 4 books" in audit.stdout


def test_an_application_of_the_demo_keeps_credits(house: House):
    key = house.organisation()["credits_api_key"]
    headers = {"Authorization": f"Bearer {key}"}

    answer = house.get("/v1/ledger/user-0001/entries", headers=headers).json()

    assert answer["results"][-1]["operation"] == "SIGNUP_CREDIT"
    assert answer["results"][0]["operation"] == "CREDIT_SPEND"
    balance = house.get("/v1/ledger/user-0001", headers=headers).json()["balance"]
    assert balance == sum(row["amount"] for row in answer["results"]) >= 0


@pytest.mark.parametrize("slug", SLUGS)
def test_the_demos_own_witness_signs_its_logs(house: House, slug: str):
    log = f"/log/{house.organisation(slug)['id']}/checkpoint"

    until(lambda: "\n— witness.demo " in house.get(log).text, seconds=90)


def test_the_page_says_how_little_the_demos_witness_proves(house: House):
    until(lambda: "Fresh" in house.get("/witnesses").text, seconds=90)

    page = house.get("/witnesses").text
    assert "It has signed for 3 of 3" in page
    assert "This one proves little" in page


def test_demo_json_is_for_its_owner_alone(house: House):
    demo = Path(house.environment["DATA_DIR"]) / "demo.json"

    assert demo.stat().st_mode & 0o777 == 0o600


def test_what_is_stopped_goes_on_with_its_data():
    pond = ["--name", "Pond", "--slug", "pond", "--country", "NL", "--currency", "EUR"]
    with open_folder() as folder:
        environment = surroundings(folder / "data") | {"DEMO": "0"}
        url = f"http://localhost:{environment['PORT']}/v1/public/organisations/pond"

        first = start(environment)
        made = manage(environment, "create_organisation", *pond, "--approve", "--with-api-key")
        stop(first)
        second = start(environment)
        kept = requests.get(url, timeout=30).json()
        stop(second)

        assert made.returncode == 0, made.stderr
        assert kept["id"] == json.loads(made.stdout)["id"]
        assert processes_of(folder) == []
