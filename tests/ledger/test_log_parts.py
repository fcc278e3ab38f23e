"""A public log in parts: range requests, and how they meet ETags and HEAD."""

import http.client
from urllib.parse import urlsplit

import pytest

from ledger.services.sealing import seal
from tests.factories import OrganisationFactory, gift_entries

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log():
    """The path of a log of 3 entries."""
    organisation = OrganisationFactory()
    gift_entries(organisation, 2)
    seal(book=organisation.books.get())
    return f"/log/{organisation.id}"


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"])
@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=32-63", slice(32, 64)),
        ("BYTES=32-63", slice(32, 64)),
        ("bytes=64-", slice(64, None)),
        ("bytes=64-999999999999999999", slice(64, None)),
        ("bytes=-1", slice(-1, None)),
        ("bytes=-999999999999999999", slice(0, None)),
    ],
)
def test_a_part_is_that_part_of_the_whole(client, log, name, asked, there):
    whole = client.get(f"{log}/{name}")

    part = client.get(f"{log}/{name}", headers={"range": asked})

    size = len(whole.content)
    first, last, _ = there.indices(size)
    assert (part.status_code, part.content) == (206, whole.content[there])
    assert part["Content-Range"] == f"bytes {first}-{last - 1}/{size}"
    assert part["Content-Length"] == str(last - first)
    assert part["Accept-Ranges"] == whole["Accept-Ranges"] == "bytes"
    for header in ("ETag", "Cache-Control", "Content-Type", "Access-Control-Allow-Origin"):
        assert part[header] == whole[header]
    assert "Content-Range" not in whole


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=96-",
        "bytes=96-97",
        "bytes=5-4",
        "bytes=-0",
        "bytes=-",
        "bytes=",
        "bytes=x-y",
        "bytes=0x0-1",
        "bytes=1",
        "bytes=--1",
        "bytes=0-\u0661",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_a_part_that_is_not_there_is_refused(client, log, asked):
    refused = client.get(f"{log}/tile/0/000.p/3", headers={"range": asked})

    assert refused.status_code == 416
    assert refused["Content-Range"] == "bytes */96"
    assert b"96 bytes" in refused.content
    assert "Cache-Control" not in refused


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=0-1, 4-5", "lines=0-1", "", "0-1"])
def test_several_parts_and_other_units_are_answered_with_the_whole(client, log, asked):
    whole = client.get(f"{log}/checkpoint")

    answer = client.get(f"{log}/checkpoint", headers={"range": asked})

    assert (answer.status_code, answer.content) == (200, whole.content)
    assert "Content-Range" not in answer


def test_a_part_goes_on_only_from_the_same_whole(client, log):
    etag = client.get(f"{log}/checkpoint")["ETag"]

    def status(**headers):
        return client.get(f"{log}/checkpoint", headers={"range": "bytes=2-3"} | headers).status_code

    assert status(**{"if-range": etag}) == 206
    assert status(**{"if-range": '"another"'}) == 200
    assert status(**{"if-range": f"W/{etag}"}) == 200
    assert status(**{"if-range": "Sat, 21 Nov 2026 12:00:00 GMT"}) == 200
    assert status(**{"if-none-match": etag}) == 304
    assert status(**{"if-none-match": '"another"'}) == 206
    assert status(**{"if-match": '"another"'}) == 412


def test_over_real_http_a_head_tells_of_the_whole(live_server, log):
    connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=30)

    def ask(method, **headers):
        connection.request(method, f"{log}/tile/0/000.p/3", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Length"), answer.read()

    head, part, whole = ask("HEAD", Range="bytes=0-31"), ask("GET", Range="bytes=0-31"), ask("GET")
    connection.close()
    assert head == (200, "96", b"")
    assert part == (206, "32", whole[2][:32])
    assert whole[:2] == (200, "96")
