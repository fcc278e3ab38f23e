"""
Books, accounts, entries: rows that only the database itself moves.

The tables, their keys and their guards are plain SQL (`sql/`): composite, self-referencing and
checked by functions. These models read them.
"""

from ledger.models.accounts import Account, AccountQuerySet
from ledger.models.books import Book, BookListing
from ledger.models.entries import (
    PUBLIC,
    Correction,
    Entry,
    EntryFields,
    EntryListing,
    EntryQuerySet,
    Leg,
    LineQuerySet,
)
from ledger.models.heads import (
    HeadsCheckpoint,
    HeadsCosignature,
    HeadsKey,
    HeadsLeaf,
    HeadsLog,
    HeadsTile,
    HeadsTimestamp,
)
from ledger.models.log import AnyLog, Checkpoint, Log, SigningKey, Tile
from ledger.models.openings import Opening
from ledger.models.witnesses import Cosignature, WitnessAnswer

__all__ = [
    "PUBLIC",
    "Account",
    "AccountQuerySet",
    "AnyLog",
    "Book",
    "BookListing",
    "Checkpoint",
    "Correction",
    "Cosignature",
    "Entry",
    "EntryFields",
    "EntryListing",
    "EntryQuerySet",
    "HeadsCheckpoint",
    "HeadsCosignature",
    "HeadsKey",
    "HeadsLeaf",
    "HeadsLog",
    "HeadsTile",
    "HeadsTimestamp",
    "Leg",
    "LineQuerySet",
    "Log",
    "Opening",
    "SigningKey",
    "Tile",
    "WitnessAnswer",
]
