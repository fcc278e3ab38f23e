"""The papers of applicants: taken by what their bytes are, kept where no URL leads."""

import re
import secrets
import unicodedata
from functools import partial
from hashlib import sha256

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError, transaction

from common.uploads import BYTES_MAX
from organisations.errors import DocumentRefused
from organisations.models import Document, Organisation, User
from organisations.services.applications import draft_to_change

COUNT_MAX = 10
NAME_LENGTH = 120
BEGINNINGS = {
    b"%PDF-": Document.Kind.PDF,
    b"\x89PNG\r\n\x1a\n": Document.Kind.PNG,
    b"\xff\xd8\xff": Document.Kind.JPEG,
}
ENDINGS = {
    Document.Kind.PDF: ".pdf",
    Document.Kind.PNG: ".png",
    Document.Kind.JPEG: ".jpg",
}
# What a name may keep: letters, marks, digits and what people put between them.
STRANGE = re.compile(r"[^\w .,()+-]")


@transaction.atomic
def add_document(
    *, organisation: Organisation, file: File[bytes], name: str, added_by: User
) -> Document:
    """
    Keep a paper of a draft; its type is read from its bytes, not from its name.

    Raises `NotADraft`, `DocumentRefused`.
    """
    organisation = draft_to_change(organisation)
    kind = _kind_of(file)
    if organisation.documents.count() >= COUNT_MAX:
        raise DocumentRefused(f"There are {COUNT_MAX} documents already: remove one first.")
    document = Document(
        organisation=organisation,
        name=clean_name(name, kind),
        kind=kind,
        size=file.size,
        sha256=_digest(file),
        stored_as=secrets.token_hex(16),
        added_by=added_by,
    )
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError as error:
        raise DocumentRefused("This very file is there already.") from error
    file.seek(0)
    storage = _storage()
    storage.save(document.stored_as, file)
    return document


@transaction.atomic
def remove_document(*, organisation: Organisation, document_id: str) -> None:
    """Remove a paper of a draft, and its file. Raises `NotADraft`."""
    organisation = draft_to_change(organisation)
    for document in organisation.documents.filter(id=document_id):
        document.delete()
        transaction.on_commit(partial(_storage().delete, document.stored_as))


def open_document(document: Document) -> File[bytes]:
    """Return a paper's bytes, for those who may see them."""
    return _storage().open(document.stored_as)


def opened(document: Document) -> str:
    """Return what the trail of the staff says when one of them opened a paper."""
    return f"opened {document.id}"


def clean_name(name: str, kind: str) -> str:
    """Return a name that is only a name, with the ending of what the file is."""
    plain = STRANGE.sub("", unicodedata.normalize("NFC", name)).strip(" .")
    ending = ENDINGS[Document.Kind(kind)]
    stem = re.sub(r"\.(pdf|png|jpe?g)\Z", "", plain, flags=re.IGNORECASE)
    return (stem[: NAME_LENGTH - len(ending)].strip(" .") or "document") + ending


def _kind_of(file: File[bytes]) -> Document.Kind:
    if not 0 < file.size <= BYTES_MAX:
        raise DocumentRefused("Choose a file of at most 10 MB that is not empty.")
    file.seek(0)
    beginning = file.read(max(map(len, BEGINNINGS)))
    for magic, kind in BEGINNINGS.items():
        if beginning.startswith(magic):
            return kind
    raise DocumentRefused("Choose a PDF, PNG or JPEG file: this one is something else.")


def _digest(file: File[bytes]) -> str:
    digest = sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _storage() -> FileSystemStorage:
    return FileSystemStorage(
        location=settings.DATA_DIR / "documents",
        file_permissions_mode=0o600,
        directory_permissions_mode=0o700,
    )
