"""A real log, as strangers get it over HTTP, and the programs that read it."""

from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from ledger.log import vkey_of
from ledger.models import Log
from ledger.services.sealing import seal
from organisations.models import Organisation
from tests.factories import OrganisationFactory, gift_entries
from tests.independent.altered import Consistency
from tests.independent.programs import Go, Keys, Program
from tests.ledger.test_witness import Running, request

SIZES = (1, 2, 255, 256, 257, 1000)


class Published(NamedTuple):
    """What we signed of a log that grew."""

    keys: Keys
    checkpoints: list[str]
    receipts: list[str]
    consistencies: list[Consistency]
    cosigned: list[str]


@pytest.fixture(scope="session")
def published(django_db_setup, django_db_blocker, tmp_path_factory) -> Published:
    """Grow a log, fetch what it says each time, and have our witness cosign it."""
    with django_db_blocker.unblock():
        server = LiveServer("localhost")
        try:
            return grow(server.url, tmp_path_factory.mktemp("witness") / "kept")
        finally:
            server.stop()
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


def grow(address: str, folder: Path) -> Published:
    organisation = OrganisationFactory(slug="lantern")
    vkey = vkey_of(organisation.id)
    witness = Running(folder, "--log", vkey)
    try:
        return grown(organisation, address, witness, Keys(vkey, witness.vkey))
    finally:
        witness.stop()


def grown(organisation: Organisation, address: str, witness: Running, keys: Keys) -> Published:
    found = Published(keys, [], [], [], [])
    for old, size in zip((0, *SIZES), SIZES, strict=False):
        note, proof = sealed(organisation, address, old, size)
        status, cosignature, _ = witness.post(request(old, size, proof=proof, note=note))
        assert status == 200
        for index in sorted({size // 3, size - 1}):
            receipt = text_of(
                f"{address}/v1/public/organisations/lantern/ledger/entries/{index}/proof"
            )
            found.receipts.append(receipt)
            found.cosigned.append(receipt + cosignature)
        if old:
            found.consistencies.append((found.checkpoints[-1], note, proof))
        found.checkpoints.append(note)
    return found


def sealed(
    organisation: Organisation, address: str, old: int, size: int
) -> tuple[str, list[bytes]]:
    """Let a log grow; return its checkpoint, and what shows that it goes on."""
    book = organisation.books.get()
    gift_entries(organisation, size - book.size, first=book.size - 1)
    seal(book=book)
    proof = Log.objects.of(book).get().tiles().consistency(old, size)
    return text_of(f"{address}/log/{organisation.id}/checkpoint"), proof


def text_of(address: str) -> str:
    answer = requests.get(address, timeout=30)
    answer.raise_for_status()
    return answer.content.decode()


@pytest.fixture(scope="session")
def go(tmp_path_factory) -> Go:
    """Go's packages, with what our small program asks of them."""
    return Go(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="session")
def program(request, tmp_path_factory) -> Program:
    """One of the programs, where a test asks for it."""
    return request.param(tmp_path_factory.mktemp("program"))
