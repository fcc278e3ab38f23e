"""What we post to integrators, as the API's description has it (`webhooks` of OpenAPI 3.1)."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiResponse,
    OpenApiWebhook,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from webhooks.models import Topic

AMOUNT = "Minor units of the currency."


class ToldEntry(serializers.Serializer[None]):
    """The line of the public ledger that proves it."""

    sequence = serializers.IntegerField()
    operation = serializers.CharField()
    amount = serializers.IntegerField(help_text=AMOUNT)
    currency = serializers.CharField()
    debit = serializers.CharField()
    credit = serializers.CharField()
    entry_hash = serializers.CharField()


class EntryFacts(serializers.Serializer[None]):
    """An entry."""

    organisation = serializers.CharField()
    entry = ToldEntry()


class GiftFacts(serializers.Serializer[None]):
    """A gift, as it stood when the message was written."""

    organisation = serializers.CharField()
    donation = serializers.CharField()
    status = serializers.CharField()
    amount = serializers.IntegerField(help_text=AMOUNT)
    currency = serializers.CharField()
    fund = serializers.CharField()
    refunded_amount = serializers.IntegerField(help_text=AMOUNT)
    entry = ToldEntry(required=False, help_text="Of what stands in the ledger.")


class PayoutFacts(serializers.Serializer[None]):
    """A payout."""

    organisation = serializers.CharField()
    payout = serializers.CharField()
    amount = serializers.IntegerField(help_text=AMOUNT)
    currency = serializers.CharField()


def _told(name: str, facts: serializers.Serializer[None]) -> serializers.Serializer[None]:
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "type": serializers.ChoiceField(choices=Topic.choices),
        "timestamp": serializers.DateTimeField(),
        "data": facts,
    }
    return inline_serializer(name, fields)


OF_GIFTS = _told("GiftTold", GiftFacts())
OTHERS = {
    Topic.ENTRY_APPENDED: _told("EntryTold", EntryFacts()),
    Topic.PAYOUT_ARRIVED: _told("PayoutTold", PayoutFacts()),
}
TAKEN = OpenApiResponse(description="Any status from 200 to 299: the message was taken.")


def _described(topic: Topic) -> OpenApiWebhook:
    description = extend_schema(
        summary=topic.label,
        description="docs/webhooks.md has how to verify it, examples, and when it comes again.",
        request=OTHERS.get(topic, OF_GIFTS),
        responses={"2XX": TAKEN},
    )
    return OpenApiWebhook(name=topic.value, decorator=description)


# The settings name each of them.
DONATION_PAID = _described(Topic.DONATION_PAID)
DONATION_FAILED = _described(Topic.DONATION_FAILED)
DONATION_SETTLED = _described(Topic.DONATION_SETTLED)
DONATION_REFUNDED = _described(Topic.DONATION_REFUNDED)
REFUND_FAILED = _described(Topic.REFUND_FAILED)
DISPUTE_OPENED = _described(Topic.DISPUTE_OPENED)
DISPUTE_WON = _described(Topic.DISPUTE_WON)
PAYOUT_ARRIVED = _described(Topic.PAYOUT_ARRIVED)
ENTRY_APPENDED = _described(Topic.ENTRY_APPENDED)
