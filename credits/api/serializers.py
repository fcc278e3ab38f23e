"""Operations, balances and histories: as programs ask for them, and as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.fields import ExactText, StrictSerializer
from common.money import AMOUNT_MAX
from donations.models import OWNER_ID_LENGTH_MAX
from ledger import line
from ledger.models import Entry
from ledger.operations import CREDIT
from ledger.services import NONCE_MAX


class OwnerId(ExactText):
    """Whose credits: a text of the application's own."""

    def __init__(self, **options: Any) -> None:
        """Take what an account of the ledger can be named after."""
        options |= {"check": line.check_text, "max_length": OWNER_ID_LENGTH_MAX}
        super().__init__(help_text="Your own id of the owner.", **options)


@extend_schema_field({"type": "integer", "minimum": -AMOUNT_MAX, "maximum": AMOUNT_MAX})
class SignedAmount(serializers.Field[int, Any, int, Any]):
    """Credits to be given or taken: a JSON integer from -(2^53 - 1) to 2^53 - 1."""

    default_error_messages = {
        "invalid": "Write the amount as a JSON integer.",
        "out_of_range": f"The amount must be from -{AMOUNT_MAX} to {AMOUNT_MAX}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """Return the integer; `1.0`, `"1"`, `1e3` and `true` are none."""
        if type(data) is not int:
            self.fail("invalid")
        if abs(data) > AMOUNT_MAX:
            self.fail("out_of_range")
        return data


class PostOperation(StrictSerializer):
    """Something that happens to an owner's credits: the body of `POST /v1/ledger`."""

    owner_id = OwnerId()
    operation = ExactText(
        check=line.check_text,
        allow_blank=True,
        help_text="One of your application's operations, such as CREDIT_SPEND.",
    )
    amount = SignedAmount(
        required=False,
        help_text="Signed as the operation is; left out, it is what your application declares.",
    )
    nonce = ExactText(
        check=line.check_text,
        max_length=NONCE_MAX,
        help_text="Yours, and new for everything that happens: the same again changes nothing. "
        "`daily:<owner_id>:<YYYY-MM-DD>` gives DAILY_REWARD once a day.",
    )


class PostedSerializer(serializers.Serializer[Any]):
    """An operation as it stands in the book; `balance` is what the owner had after it."""

    owner_id = serializers.CharField(source="owner.id")
    operation = serializers.CharField(source="entry.operation")
    amount = serializers.IntegerField()
    balance = serializers.IntegerField()
    nonce = serializers.CharField(source="entry.nonce")
    sequence = serializers.IntegerField(source="entry.sequence")
    entry_hash = serializers.CharField(source="entry.entry_hash")


class AskOwner(serializers.Serializer[Any]):
    """Whose balance or history."""

    owner_id = OwnerId()


class OwnerBalanceSerializer(serializers.Serializer[Any]):
    """What an owner has."""

    owner_id = serializers.CharField(source="id")
    balance = serializers.IntegerField()
    unit = serializers.CharField(default=CREDIT)


class OwnerEntrySerializer(serializers.ModelSerializer[Entry]):
    """One thing that happened to an owner's credits; `balance` is what there was after it."""

    amount = serializers.IntegerField(source="change")
    balance = serializers.IntegerField()
    metadata = serializers.DictField()

    class Meta:
        model = Entry
        fields = (
            "sequence",
            "operation",
            "amount",
            "balance",
            "nonce",
            "metadata",
            "occurred_at",
            "recorded_at",
            "entry_hash",
        )
        read_only_fields = fields
