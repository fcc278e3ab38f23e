"""Entries and balances, as the API shows them."""

from typing import Any

from rest_framework import serializers

from ledger.models import Entry


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """
    All columns of an entry, and `line`: the exact text that was hashed.

    A correction `reverses` an earlier entry, which then is `corrected_by` the correction.
    """

    organisation_id = serializers.CharField()
    metadata = serializers.DictField()
    reverses = serializers.IntegerField(allow_null=True)
    corrected_by = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Entry
        fields: tuple[str, ...] = (
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
            "reverses",
            "corrected_by",
        )
        read_only_fields = fields


class StatementLineSerializer(EntrySerializer):
    """
    An entry on one account: its `change`, and the `balance` after it.

    Both count minor units of the account's currency and are positive when money comes or is there.
    """

    change = serializers.IntegerField()
    balance = serializers.IntegerField()

    class Meta(EntrySerializer.Meta):
        fields = (*EntrySerializer.Meta.fields, "change", "balance")
        read_only_fields = fields


class HeadSerializer(serializers.Serializer[Any]):
    """
    Where a book ends: how many entries it has, and the hash of the last.

    `checkpoint` is the signed note of the log (C2SP tlog-checkpoint); it follows within seconds.
    """

    size = serializers.IntegerField()
    head_hash = serializers.CharField()
    checkpoint = serializers.CharField(allow_null=True)


class TimestampSerializer(serializers.Serializer[Any]):
    """
    When a time stamper saw the checkpoint of a `size` (RFC 3161).

    Its answer is at `/log/heads/checkpoints/<size>.tsr`, the note beside it without the ending.
    """

    size = serializers.IntegerField()
    stamped_at = serializers.DateTimeField()


class HeadsSerializer(serializers.Serializer[Any]):
    """
    The heads log of this instance: each checkpoint of a public ledger is one of its leaves.

    `checkpoint` is its last signed note (C2SP tlog-checkpoint), `vkey` the key that signs it.
    """

    size = serializers.IntegerField()
    checkpoint = serializers.CharField(allow_null=True)
    vkey = serializers.CharField(allow_null=True)
    timestamp = TimestampSerializer(allow_null=True)


class BalanceSerializer(serializers.Serializer[Any]):
    """One account in one currency; the amount counts minor units, positive when money is there."""

    account = serializers.CharField(source="name")
    currency = serializers.CharField()
    amount = serializers.IntegerField()


class BalancesSerializer(serializers.Serializer[Any]):
    """
    Both sides of the public book; per currency they add up to the same total.

    Of an earlier state, `sequence` is the last entry in it, which was recorded `at`.
    """

    places = BalanceSerializer(many=True)
    purposes = BalanceSerializer(many=True)
    sequence = serializers.IntegerField(required=False)
    at = serializers.DateTimeField(required=False)
