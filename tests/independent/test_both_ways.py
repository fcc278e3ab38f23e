"""What their programs write and sign, we read; and they read our whole log as it is served."""

import sys
from base64 import b64encode

import pytest
from proofbundle import checkpoint as theirs
from proofbundle.tlogproof import format_tlog_proof
from tlog_scales.signing import PlainEd25519Signer
from tlog_scales.writer import TilesWriter

from ledger import notes
from ledger.log import vkey_of
from ledger.models import Entry
from tests.factories import OrganisationFactory
from tests.independent.conftest import text_of
from tests.independent.programs import said_by
from tests.ledger.test_export_log import export, files_in, grow
from tests.ledger.test_log import read
from tests.ledger.test_merkle import defined, path_defined
from tests.verifier.signed_corpus import LINES
from tests.verifier.signing import LOG, ORIGIN, VKEY, WITNESS_VKEYS, WITNESSES, body_of
from verifier import almoner_verify

SCALES = [sys.executable, "-m", "tlog_scales.cli"]
TIME = 1_790_000_000


def contents_of(folder):
    return {path: file.read_bytes() for path, file in files_in(folder).items()}


@pytest.mark.django_db
def test_tlog_scales_writes_the_same_tiles(tmp_path):
    organisation = OrganisationFactory()
    grow(organisation, 1000)
    export(tmp_path)
    ours = contents_of(tmp_path / "log" / organisation.id)
    note = notes.parse_note(ours.pop("checkpoint"))

    writer = TilesWriter.create(tmp_path / "theirs", note.text.split("\n")[0])
    for line in Entry.objects.of(organisation).order_by("sequence").values_list("line", flat=True):
        writer.add_leaf(line.encode())
    signer = PlainEd25519Signer(writer.origin, LOG)
    writer.commit([signer])

    written = contents_of(tmp_path / "theirs")
    their_note = notes.parse_note(written.pop("checkpoint"))
    assert written == ours
    assert their_note.text == note.text
    assert their_note.signed_by([notes.parse_key(signer.vkey.serialize())])


def test_go_signs_the_same_note(go):
    seed = b64encode(LOG.private_bytes_raw()).decode()

    note = said_by([go.reader, "sign", ORIGIN, seed], body_of(LINES))

    body = body_of(LINES)
    assert note == str(notes.Note(body, [notes.sign(LOG, ORIGIN, body)]))
    assert notes.parse_note(note.encode()).signed_by([notes.parse_key(VKEY)])


def test_we_read_receipts_that_proofbundle_wrote_and_cosigned(tmp_path):
    signed = theirs.sign_checkpoint(ORIGIN, len(LINES), defined(LINES), LOG, ORIGIN)
    note = theirs.cosign_checkpoint(signed, WITNESSES[0], "witness.example/0", TIME)
    receipt = format_tlog_proof(3, path_defined(3, LINES), note, extra=LINES[3])
    file = tmp_path / "receipt"

    def verify(content):
        file.write_text(content)
        known = ["--key", VKEY, "--witness", WITNESS_VKEYS[0]]
        return almoner_verify.main(["receipt", str(file), *known, "--quiet"])

    keys = list(map(notes.parse_key, (VKEY, WITNESS_VKEYS[0])))
    assert notes.parse_note(read(receipt)[3].encode()).signed_by(keys) == {
        keys[0]: 0,
        keys[1]: TIME,
    }
    assert verify(receipt) == 0
    assert verify(receipt.replace("\nindex 3\n", "\nindex 2\n")) == 13


@pytest.mark.django_db(transaction=True)
def test_they_read_a_whole_log_over_http(live_server, go):
    organisation = OrganisationFactory(slug="lantern")
    grow(organisation, 1000)
    log = f"{live_server.url}/log/{organisation.id}"
    entry = f"{live_server.url}/v1/public/organisations/lantern/ledger/entries/700/proof"

    size = said_by([go.reader, "log", vkey_of(organisation.id), log])
    leaf = said_by([*SCALES, "get-leaf", "--check", log, "700"])
    proof = said_by([*SCALES, "gen-proof", log, "700"])

    kind, extra, *rest = text_of(entry).split("\n")
    assert size == "1000\n"
    assert leaf == Entry.objects.of(organisation).get(sequence=700).line
    assert extra == f"extra {b64encode(leaf.encode()).decode()}"
    assert proof == "\n".join([kind, *rest])


@pytest.mark.django_db
def test_they_find_an_altered_tile(tmp_path):
    organisation = OrganisationFactory()
    grow(organisation, 300)
    export(tmp_path)
    folder = tmp_path / "log" / organisation.id
    tile = folder / "tile/0/000"
    tile.write_bytes(tile.read_bytes()[32:] + bytes(32))

    with pytest.raises(AssertionError, match="InclusionProofInvalid"):
        said_by([*SCALES, "get-leaf", "--check", f"file://{folder}", "7"])
