"""What a public book attests of itself: the sums of its accounts, so that nobody starts from 0."""

from collections.abc import Iterator, Sequence

from django.db import transaction

from ledger.models import PUBLIC, Account, Book, Entry
from ledger.operations import BookOperation
from ledger.services import Draft, append, saying
from ledger.services.retrying import retried

# With the longest names they still fit in a line; sql/attestations_v1.sql counts as many.
ACCOUNTS_A_PART = 60


@retried
@transaction.atomic
def attest_balances(*, book: Book) -> list[Entry]:
    """
    Write what the entries of a public book add up to in each account; return the parts.

    When nothing came since the last attestation, returns that one.
    """
    assert book.book == PUBLIC, "private books attest nothing"
    size = Book.objects.select_for_update().values_list("size", flat=True).get(pk=book.pk)
    last = Entry.objects.of(book.organisation).attestation(size - 1)
    if last and last[-1].sequence == size - 1:
        return last
    accounts = Account.objects.money_at(book.organisation, size - 1)
    return append(book=book, drafts=list(_parts(size, accounts)))


def _parts(size: int, accounts: Sequence[Account]) -> Iterator[Draft]:
    accounts = sorted(accounts, key=lambda account: (account.currency, account.name))
    starts = range(0, len(accounts) or 1, ACCOUNTS_A_PART)
    for part, start in enumerate(starts, 1):
        attested = {
            f"a{place}": {
                "account": account.name,
                "currency": account.currency,
                "debits": account.debits,
                "credits": account.credits,
            }
            for place, account in enumerate(accounts[start : start + ACCOUNTS_A_PART])
        }
        counts = {"size": size, "part": part, "parts": len(starts), "accounts": len(accounts)}
        yield saying(
            BookOperation.BALANCE_ATTESTATION,
            nonce=f"attestation:{size}:{part}",
            metadata={**counts, **attested},
        )
