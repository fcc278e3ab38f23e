"""The books that are measured: kept ones of known sizes, and new ones for each run."""

import itertools
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from bench.cluster import tidy_up
from common.ids import make_id
from ledger.models import PUBLIC, Book
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.sealing import seal
from organisations.models import Organisation
from organisations.services.tenants import approve, create_organisation

BATCH = 1000
HAPPENED_AT = datetime(2026, 11, 21, 3, 35, tzinfo=UTC)
NUMBERS = itertools.count()


def open_book(slug: str = "", stripe_account: str | None = None) -> Book:
    """Open the public book of a new organisation."""
    slug = slug or f"bench-{uuid4().hex[:12]}"
    organisation = create_organisation(
        name=slug, slug=slug, country="BE", currency="EUR", stripe_account=stripe_account
    )
    approve(organisation=organisation, decided_by=None, reason="To be measured.")
    return Book.objects.get(organisation=organisation, book=PUBLIC)


def kept_slug(size: str) -> str:
    """Return the slug of the organisation whose book has a size (`10k`)."""
    return f"bench-{size}"


def fill_kept_books(sizes: dict[str, int]) -> None:
    """Fill the books that later runs use too, and go on where an earlier run was cut off."""
    for name, size in sizes.items():
        organisation = Organisation.objects.filter(slug=kept_slug(name)).first()
        book = Book.objects.get(organisation=organisation) if organisation else None
        book = book or open_book(kept_slug(name))
        fill(book, size)
        seal(book=book)  # otherwise a worker does, while something else is measured
    tidy_up()


def fill(book: Book, size: int) -> None:
    """Append gifts and their fees until a book has `size` entries."""
    start = Book.objects.get(organisation_id=book.organisation_id, book=book.book).size
    for done in range(start, size, BATCH):
        append(book=book, drafts=drafts(min(BATCH, size - done)))
        if done == start:
            tidy_up()  # the first rows of an empty table: autovacuum would come a minute later
        if done % (50 * BATCH) < BATCH:
            sys.stderr.write(f"\r  filling the book of {size:,}: {done:,}")
    sys.stderr.write("\r")


def drafts(count: int) -> list[Draft]:
    """Return gifts as Stripe brings them: each a charge and its fee, so two entries."""
    pairs = (pair() for _ in range(count // 2 + 1))
    return list(itertools.chain.from_iterable(pairs))[:count]


def pair() -> Sequence[Draft]:
    """Return the two entries of a gift, with what booking writes into them."""
    number = next(NUMBERS)
    transaction = f"stripe:acct_1SCq4FKd7Qx2mNvB:txn_{uuid4().hex[:24]}"
    metadata = {"donation": make_id("don"), "charge": f"ch_{uuid4().hex[:24]}"}
    amount = 1000 + number % 9000
    received = Draft(
        operation=MoneyOperation.DONATION_RECEIVED,
        amount=amount,
        currency="EUR",
        debit="stripe",
        credit="fund:general",
        nonce=f"{transaction}:charge",
        metadata=metadata,
        occurred_at=HAPPENED_AT,
    )
    fee = Draft(
        operation=MoneyOperation.PROCESSING_FEE,
        amount=25 + amount * 14 // 1000,
        currency="EUR",
        debit="fund:general",
        credit="stripe",
        nonce=f"{transaction}:fee",
        metadata=metadata,
        occurred_at=HAPPENED_AT,
    )
    return received, fee
