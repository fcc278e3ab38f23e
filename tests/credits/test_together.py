"""Many clients at once, over HTTP, against the real web server."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests

from tests.credits.conftest import URL
from tests.credits.test_reading import ODD
from tests.webhooks.programs import Programs, programs, until

CLIENTS = 16


@pytest.fixture(scope="module")
def server(django_db_setup, tmp_path_factory) -> Iterator["Server"]:
    """A web server, and an organisation's key for it."""
    with programs(tmp_path_factory.mktemp("programs")) as house:
        house.organisation()
        told = house.manage(
            *("issue_api_key", "--organisation", "eau-vive"),
            *("--application", "credits", "--scope", "ledger"),
        )
        house.start("web")
        until(house.listens)
        yield Server(house, requests.models.complexjson.loads(told)["api_key"])


class Server:
    """The web server, as its clients see it."""

    def __init__(self, house: Programs, key: str) -> None:
        """Call with this key."""
        self.house, self.headers = house, {"Authorization": f"Bearer {key}"}

    def post(self, owner_id, operation, nonce, **fields):
        """Post one operation on a connection of its own."""
        body = {"owner_id": owner_id, "operation": operation, "nonce": nonce, **fields}
        return requests.post(self.house.url + URL, json=body, headers=self.headers, timeout=30)

    def get(self, path, **query):
        """Ask."""
        url = f"{self.house.url}{path}"
        return requests.get(url, query, headers=self.headers, timeout=30)

    def together(self, post):
        """Let 16 clients do something at the same moment; return their answers."""
        start = threading.Barrier(CLIENTS)

        def client(number):
            start.wait()
            return post(number)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(client, range(CLIENTS)))

    def entries(self):
        """Return how many entries there are."""
        return self.house.ask("SELECT count(*) FROM ledger_entry")[0][0]


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def test_the_first_operations_open_one_book(server):
    answers = server.together(
        lambda number: server.post(f"first{number}", "DAILY_REWARD", f"f{number}")
    )

    assert statuses(answers) == {201: CLIENTS}
    assert sorted(answer.json()["sequence"] for answer in answers) == list(range(1, CLIENTS + 1))
    assert {answer.json()["balance"] for answer in answers} == {1}


def test_the_last_credit_is_spent_once(server):
    server.post("ann", "DAILY_REWARD", "ann:last")

    answers = server.together(lambda number: server.post("ann", "CREDIT_SPEND", f"ann:{number}"))

    assert statuses(answers) == {201: 1, 409: CLIENTS - 1}
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert {refusal["code"] for refusal in refusals} == {"insufficient_balance"}
    assert server.get(f"{URL}/ann").json()["balance"] == 0
    assert len(server.get(f"{URL}/ann/entries").json()["results"]) == 2


def test_one_nonce_is_one_entry_and_one_answer(server):
    before = server.entries()

    answers = server.together(lambda _: server.post("bob", "CREDIT_ADD", "bob:once"))

    assert statuses(answers) == {201: 1, 200: CLIENTS - 1}
    assert len({answer.content for answer in answers}) == 1
    assert server.entries() == before + 1


def test_one_nonce_while_others_write_is_one_answer(server):
    def post(number):
        if number % 2:
            return server.post("eve", "CREDIT_ADD", f"eve:{number}", amount=number)
        return server.post("eve", "CREDIT_ADD", "eve:once")

    answers = server.together(post)

    assert statuses(answers[1::2]) == {201: CLIENTS // 2}
    assert statuses(answers[::2]) == {201: 1, 200: CLIENTS // 2 - 1}
    assert len({answer.content for answer in answers[::2]}) == 1


def test_one_nonce_with_many_contents_is_the_firsts(server):
    before = server.entries()

    answers = server.together(
        lambda number: server.post(f"zoe{number}", "CREDIT_ADD", "zoe:once", amount=1 + number)
    )

    assert statuses(answers) == {201: 1, 409: CLIENTS - 1}
    assert {answer.json().get("code") for answer in answers} == {None, "nonce_conflict"}
    assert server.entries() == before + 1
    accounts = server.house.ask("SELECT name FROM ledger_account WHERE name LIKE 'owner:zoe%'")
    [winner] = [answer.json()["owner_id"] for answer in answers if answer.status_code == 201]
    assert accounts == [(f"owner:{winner}",)]


def test_the_sums_are_right_after_all_that(server):
    [(wrong,)] = server.house.ask(
        "SELECT count(*) FROM ledger_account WHERE credits - debits <> ("
        " SELECT coalesce(sum(CASE WHEN credit = name THEN amount ELSE -amount END), 0)"
        " FROM ledger_entry AS entry WHERE name IN (debit, credit)"
        " AND entry.book = ledger_account.book AND entry.currency = ledger_account.currency)"
    )

    assert wrong == 0
    server.house.manage("audit_ledger")


@pytest.mark.parametrize("owner_id", [each for each in ODD if each not in (".", "..", "../..")])
def test_the_real_server_reads_odd_ids_in_paths(server, owner_id):
    server.post(owner_id, "DAILY_REWARD", f"odd:{owner_id}")
    path = f"{URL}/{quote(owner_id, safe='')}"

    history = server.get(f"{path}/entries")
    balance = server.get(URL, owner_id=owner_id)

    assert [row["nonce"] for row in history.json()["results"]] == [f"odd:{owner_id}"]
    assert balance.json() == {"owner_id": owner_id, "balance": 1, "unit": "CREDIT"}
    if not owner_id.endswith("/entries"):
        assert server.get(path).json() == balance.json()


@pytest.mark.parametrize("owner_id", [".", "..", "../.."])
def test_ids_that_clients_shorten_are_asked_for_in_the_query(server, owner_id):
    server.post(owner_id, "DAILY_REWARD", f"odd:{owner_id}")

    assert server.get(URL, owner_id=owner_id).json()["balance"] == 1
    [row] = server.get("/v1/ledger-entries", owner_id=owner_id).json()["results"]
    assert row["nonce"] == f"odd:{owner_id}"


@pytest.mark.parametrize("path", [f"{URL}/%FF", f"{URL}/%C3/entries", f"{URL}/a%E9"])
def test_the_real_server_refuses_what_is_not_utf_8(server, path):
    assert server.get(path).status_code == 400


def test_the_servers_log_names_nobody(server):
    written = (server.house.folder / "web.log").read_text()

    assert not {"ann", "bob", "zoe"} & set(written.replace('"', " ").replace("/", " ").split())
