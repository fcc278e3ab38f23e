"""Entries and balances, as the API shows them."""

from typing import Any

from rest_framework import serializers

from ledger.models import Entry


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """All columns of an entry, and `line`: the exact text that was hashed."""

    organisation_id = serializers.CharField()
    metadata = serializers.DictField()

    class Meta:
        model = Entry
        fields = (
            "organisation_id",
            "book",
            "sequence",
            "entry_id",
            "operation",
            "amount",
            "currency",
            "debit",
            "credit",
            "nonce",
            "metadata",
            "occurred_at",
            "recorded_at",
            "prev_entry_hash",
            "entry_hash",
            "line",
        )
        read_only_fields = fields


class HeadSerializer(serializers.Serializer[Any]):
    """Where a book ends: how many entries it has, and the hash of the last."""

    size = serializers.IntegerField()
    head_hash = serializers.CharField()
    checkpoint = serializers.CharField(allow_null=True, default=None)


class BalanceSerializer(serializers.Serializer[Any]):
    """One account in one currency; the amount counts minor units, positive when money is there."""

    account = serializers.CharField(source="name")
    currency = serializers.CharField()
    amount = serializers.IntegerField()


class BalancesSerializer(serializers.Serializer[Any]):
    """Both sides of the public book; per currency they add up to the same total."""

    places = BalanceSerializer(many=True)
    purposes = BalanceSerializer(many=True)
