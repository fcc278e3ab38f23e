"""A log as files: the command reads all of it, and says what is missing or does not follow."""

import json
import shutil

import pytest

from tests.ledger.test_merkle import defined, leaf_hash
from tests.verifier.signed_corpus import LINES, book
from tests.verifier.signing import VKEY, WITNESS_VKEYS, body_of, note_of
from verifier import almoner_verify


def bundle_of(lines):
    return b"".join(len(line).to_bytes(2, "big") + line for line in lines)


def write_log(folder, lines):
    """Write a log as tlog-tiles has it, by its definition."""
    size, files = len(lines), {}
    for level in (0, 1, 2):
        span = 256**level
        nodes = [defined(lines[at : at + span]) for at in range(0, size - span + 1, span)]
        for number in range(0, len(nodes), 256):
            width = len(nodes[number : number + 256])
            partial = "" if width == 256 else f".p/{width}"
            files[f"tile/{level}/{number // 256:03}{partial}"] = b"".join(
                nodes[number : number + 256]
            )
            if level == 0:
                bundle = bundle_of(lines[number : number + 256])
                files[f"tile/entries/{number // 256:03}{partial}"] = bundle
    files["checkpoint"] = note_of(body_of(lines)).encode()
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def judged(source, capsys, *words):
    code = almoner_verify.main(["log", str(source), "--key", VKEY, "--json", *words])
    report = json.loads(capsys.readouterr().out)
    assert code == almoner_verify.EXIT_CODES[report["verdict"]]
    return report["verdict"], report["first_bad_sequence"], report["reason"]


@pytest.mark.parametrize("size", [1, 6, 255, 256, 257, 513])
def test_a_log_is_verified_from_its_files(tmp_path, capsys, size):
    write_log(tmp_path, book(size))

    assert judged(tmp_path, capsys) == ("VALID", None, "")
    assert judged(f"{tmp_path}/", capsys) == ("VALID", None, "")


def test_a_log_is_verified_from_its_address(site, tmp_path, capsys):
    write_log(tmp_path, LINES)
    for file in filter(lambda file: file.is_file(), tmp_path.rglob("*")):
        site.files[f"/log/x/{file.relative_to(tmp_path)}"] = file.read_bytes()

    assert judged(f"{site.address}/log/x", capsys)[0] == "VALID"
    del site.files["/log/x/tile/0/000.p/6"]
    missing = judged(f"{site.address}/log/x", capsys)
    assert missing == ("INCOMPLETE", None, "tile/0/000.p/6 is missing")


BIG = book(513)


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    return write_log(tmp_path_factory.mktemp("log"), BIG)


@pytest.fixture
def log(big, tmp_path):
    """A log of 513 entries, to be spoilt."""
    return shutil.copytree(big, tmp_path / "log")


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint",
        "tile/0/001",
        "tile/0/002.p/1",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/002.p/1",
    ],
)
def test_what_is_missing_is_named(log, capsys, path):
    (log / path).unlink()

    assert judged(log, capsys) == ("INCOMPLETE", None, f"{path} is missing")


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("tile/0/001", b"x" * 8192, ("TAMPERED", "tile/0/001 does not follow")),
        ("tile/0/001", b"", ("TAMPERED", "tile/0/001 does not follow")),
        ("tile/1/000.p/2", leaf_hash(b"") * 2, ("TAMPERED", "tile/1/000.p/2 does not")),
        ("tile/entries/001", bundle_of(BIG[256:511]), ("MALFORMED", "has 255 entries")),
        ("tile/entries/001", bundle_of(BIG[256:513]), ("MALFORMED", "has 257 entries")),
        ("tile/entries/001", bundle_of(BIG[256:512])[:-1], ("MALFORMED", "ends within an entry")),
        ("tile/entries/001", bundle_of(BIG[256:512]) + b"\x00", ("MALFORMED", "ends within")),
        ("checkpoint", b"x", ("MALFORMED", "a checkpoint is an origin")),
        ("checkpoint", note_of(body_of(book(513, amount=1))).encode(), ("TAMPERED", "were signed")),
        ("checkpoint", note_of(body_of(BIG, origin="x")).encode(), ("UNKNOWN_KEY", "no known key")),
    ],
)
def test_what_does_not_follow_is_named(log, capsys, path, content, expected):
    (log / path).write_bytes(content)

    found, sequence, reason = judged(log, capsys)

    verdict, words = expected
    assert (found, sequence) == (verdict, None)
    assert words in reason


def test_an_entry_edited_in_its_bundle_is_named(log, capsys):
    edited = BIG[300].replace(b'"amount":400', b'"amount":401')
    (log / "tile/entries/001").write_bytes(bundle_of([*BIG[256:300], edited, *BIG[301:512]]))

    assert judged(log, capsys)[:2] == ("TAMPERED", 300)


def test_witnesses_are_asked_of_a_log_too(log, capsys):
    assert judged(log, capsys, "--witness", WITNESS_VKEYS[0])[0] == "UNWITNESSED"


def test_a_log_that_cannot_be_reached_gets_no_verdict(capsys):
    assert almoner_verify.main(["log", "http://127.0.0.1:1/log", "--key", VKEY]) == 3
    assert "could not be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "path"), [(1000, "tile/0/x001/000"), (1_234_067, "tile/0/x001/x234/067")]
)
def test_where_a_far_tile_is(number, path):
    assert almoner_verify.path_of("0", number, 256) == path
