"""Rotating an organisation's signing key: each of its books says so, by the retired key's word."""

from django.db import transaction

from ledger import keys, notes
from ledger.errors import NoKeyYet
from ledger.models import Book, SigningKey
from ledger.operations import BookOperation
from ledger.rotation import nonce_of, words_of
from ledger.services import append, saying
from ledger.services.books import add_key
from organisations.models import Organisation


@transaction.atomic
def rotate_key(*, organisation: Organisation, is_lost: bool = False) -> SigningKey:
    """
    Give an organisation a new signing key, from the next entry of each of its books on; return it.

    A key that `is_lost` cannot speak for the new one: who trusts it must be told in another way.
    Raises `NoKeyYet`, and `KeyLocked` when the key cannot be opened and was not said to be lost.
    """
    # Nobody opens a book, or rotates too, meanwhile.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    retired = SigningKey.objects.of(organisation).first()
    if retired is None:
        raise NoKeyYet
    key = add_key(organisation.pk, notes.parse_key(retired.vkey).name)
    metadata = {"retires": retired.vkey, "vkey": key.vkey}
    if not is_lost:
        private = keys.open_key(bytes(retired.encrypted_seed))
        signature = private.sign(words_of(retired.vkey, key.vkey).encode())
        metadata["signature"] = notes.encode(signature)
    draft = saying(BookOperation.KEY_ROTATION, nonce=nonce_of(key.vkey), metadata=metadata)
    for book in Book.objects.filter(organisation=organisation).order_by("book"):
        append(book=book, drafts=[draft])
    return key
