"""What the ledger does when an organisation is approved: it opens the public book."""

from typing import Any

from django.dispatch import receiver

from ledger.models import PUBLIC
from ledger.services.books import open_book
from organisations.models import Organisation
from organisations.signals import organisation_approved


@receiver(organisation_approved)
def open_public_book(organisation: Organisation, **_kwargs: Any) -> None:
    """Open the book in the transaction that approves."""
    open_book(organisation=organisation, name=PUBLIC)
