"""Opening books: each begins with its genesis, which publishes the organisation's key."""

from datetime import UTC, datetime

from django.db import connection, transaction

from ledger import keys, line
from ledger.models import PUBLIC, Book, Log, SigningKey
from ledger.operations import BookOperation, application_of
from ledger.services import Draft, append, saying
from organisations.models import Organisation

OPEN = "INSERT INTO ledger_book (organisation_id, book) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@transaction.atomic
def open_book(*, organisation: Organisation, name: str) -> Book:
    """
    Open the book of one of an organisation's applications, or return it as it is.

    Raises `UnknownOperation` for a book that no application keeps.
    """
    application_of(name)
    # Two books that open at the same time share one key.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [organisation.id, name])
    book = Book.objects.select_for_update().get(organisation=organisation, book=name)
    if book.size == 0:
        append(book=book, drafts=[_genesis(book)])
        book.refresh_from_db()
    return book


def origin_of(organisation_id: str, book: str = PUBLIC) -> str:
    """Return the origin of a book's log, as its checkpoints name it."""
    return Log(organisation_id=organisation_id, book=book).origin


def _genesis(book: Book) -> Draft:
    origin = origin_of(book.organisation_id, book.book)
    return saying(
        BookOperation.GENESIS,
        nonce="genesis",
        metadata={"origin": origin, "profile": line.VERSION, "vkey": _vkey(book.organisation_id)},
    )


def add_key(organisation_id: str, name: str) -> SigningKey:
    """Make an organisation's next signing key; `name` is the origin of its public log."""
    key = keys.make_key(name)
    return SigningKey.objects.create(
        organisation_id=organisation_id,
        vkey=key.vkey,
        encrypted_seed=key.encrypted_seed,
        created_at=datetime.now(UTC),
    )


def _vkey(organisation_id: str) -> str:
    newest = SigningKey.objects.of(organisation_id).first()
    return (newest or add_key(organisation_id, origin_of(organisation_id))).vkey
