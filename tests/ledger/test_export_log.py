"""The log as static files: what any file server needs to take our place."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger import notes
from ledger.services.sealing import seal
from tests.factories import ApplicantFactory, OrganisationFactory, gift_entries

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


def export(folder, *arguments):
    out = StringIO()
    call_command("export_log", str(folder), *arguments, stdout=out)
    return out.getvalue()


def files_in(folder):
    return {
        file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()
    }


def grow(organisation, size):
    book = organisation.books.get()
    gift_entries(organisation, size - book.size, first=book.size - 1)
    seal(book=book)


def test_the_files_are_what_we_serve(client, organisation, tmp_path):
    grow(organisation, 515)

    assert export(tmp_path) == "lantern: 515 entries\n"

    files = files_in(tmp_path)
    assert sorted(path.removeprefix(f"log/{organisation.id}/") for path in files) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/3",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/3",
    ]
    for path, file in files.items():
        assert file.read_bytes() == client.get(f"/{path}").content


def test_only_what_is_new_is_written(organisation, tmp_path):
    grow(organisation, 300)
    export(tmp_path)
    there = {path: file.stat().st_mtime_ns for path, file in files_in(tmp_path).items()}

    grow(organisation, 600)
    export(tmp_path)
    export(tmp_path)

    files = files_in(tmp_path)
    kept = [path for path, time in there.items() if files[path].stat().st_mtime_ns == time]
    assert sorted(path.rpartition("tile/")[2] for path in kept) == [
        "0/000", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44",
    ]  # fmt: skip
    new = {path.rpartition("tile/")[2] for path in files.keys() - there.keys()}
    assert new == {"0/001", "0/002.p/88", "1/000.p/2", "entries/001", "entries/002.p/88"}
    note = notes.parse_note(files[f"log/{organisation.id}/checkpoint"].read_bytes())
    assert notes.parse_checkpoint(note.text).size == 600


@pytest.mark.parametrize("content", [b"", b"half a checkp"])
def test_what_was_cut_off_is_written_again(organisation, tmp_path, content):
    grow(organisation, 10)
    export(tmp_path)
    folder = tmp_path / "log" / organisation.id
    whole = {path: file.read_bytes() for path, file in files_in(tmp_path).items()}
    (folder / "checkpoint").write_bytes(content)
    (folder / "tile/0/000.p/10").write_bytes(b"x")

    export(tmp_path)

    assert {path: file.read_bytes() for path, file in files_in(tmp_path).items()} == whole


def test_each_public_organisation_has_its_files(organisation, tmp_path):
    other = OrganisationFactory(slug="other")
    ApplicantFactory(slug="hidden")
    for each in (organisation, other):
        grow(each, 2)
    OrganisationFactory(slug="young")

    assert export(tmp_path) == "lantern: 2 entries\nother: 2 entries\nyoung: 0 entries\n"
    assert export(tmp_path / "one", "--organisation", "other") == "other: 2 entries\n"

    assert {path.split("/")[1] for path in files_in(tmp_path / "one")} == {other.id}
    with pytest.raises(CommandError, match="no such public organisation"):
        export(tmp_path, "--organisation", "hidden")


def test_a_folder_that_is_none_is_told(organisation, tmp_path):
    grow(organisation, 2)
    (tmp_path / "file").write_text("x")

    with pytest.raises(CommandError, match="file"):
        export(tmp_path / "file")
