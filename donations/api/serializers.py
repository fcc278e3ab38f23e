"""Gifts: as a program promises them, and as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.fields import Currency, ExactText, MinorUnits, ReturnUrl, StrictSerializer, Text
from donations.models import (
    EMAIL_LENGTH_MAX,
    GENERAL,
    NAME_LENGTH_MAX,
    OWNER_ID_LENGTH_MAX,
    REASONS,
    Donation,
    RecurringGift,
    RefundRequest,
)
from donations.services.promises import journey_url
from ledger import line


class Donor(StrictSerializer):
    """Who gives; kept apart from the ledger, which names nobody."""

    email = serializers.EmailField(
        source="donor_email", required=False, allow_blank=True, max_length=EMAIL_LENGTH_MAX
    )
    name = Text(source="donor_name", required=False, allow_blank=True, max_length=NAME_LENGTH_MAX)


class PromiseDonation(StrictSerializer):
    """A gift to be paid: the body of `POST /v1/donations`."""

    amount = MinorUnits(help_text="Minor units of the currency: 5000 is 50.00 EUR, or 5,000 JPY.")
    currency = Currency()
    fund = serializers.SlugField(
        required=False, max_length=60, default=GENERAL, help_text="A fund's slug."
    )
    flow = serializers.ChoiceField(choices=Donation.Flow.choices)
    interval = serializers.ChoiceField(
        choices=RecurringGift.Interval.choices,
        required=False,
        help_text="The gift repeats; this one is its first payment. With the flow checkout only.",
    )
    donor = Donor(source="*", required=False)
    public_name = Text(
        required=False, allow_blank=True, max_length=80, help_text="Shown on the public ledger."
    )
    owner_id = ExactText(
        required=False,
        check=line.check_text,
        max_length=OWNER_ID_LENGTH_MAX,
        help_text="Who is granted credits for the gift, where the organisation has a rule for it.",
    )
    success_url = ReturnUrl(required=False)
    cancel_url = ReturnUrl(required=False)


class PayoutOfGift(serializers.Serializer[Donation]):
    """The payout that takes a gift's money to the bank; `arrived_on` once it is there."""

    id = serializers.CharField(source="payout")
    arrived_on = serializers.DateField(source="payout_arrived_on", allow_null=True)


class DonationSerializer(serializers.ModelSerializer[Donation]):
    """A gift and what became of it; amounts count minor units."""

    owner_id = serializers.SerializerMethodField()
    checkout_url = serializers.SerializerMethodField()
    payment_intent = serializers.SerializerMethodField()
    client_secret = serializers.SerializerMethodField()
    settled_currency = serializers.SerializerMethodField()
    interval = serializers.SerializerMethodField()
    recurring = serializers.CharField(
        source="recurring_id", read_only=True, help_text="The gift that repeats, if it is one."
    )
    journey_url = serializers.SerializerMethodField()
    payout = serializers.SerializerMethodField()

    class Meta:
        model = Donation
        fields = (
            "id",
            "status",
            "amount",
            "currency",
            "fund",
            "flow",
            "interval",
            "recurring",
            "public_name",
            "owner_id",
            "checkout_url",
            "payment_intent",
            "client_secret",
            "journey_url",
            "settled_amount",
            "settled_currency",
            "sequence",
            "refunded_amount",
            "payout",
            "created_at",
            "paid_at",
            "settled_at",
            "ended_at",
        )
        read_only_fields = fields

    def get_interval(self, donation: Donation) -> str | None:
        """Return how often it is given: `month` or `year`, null for once."""
        return donation.recurring.interval if donation.recurring else None

    def get_owner_id(self, donation: Donation) -> str | None:
        """Return who is granted credits for it."""
        return donation.owner_id or None

    def get_checkout_url(self, donation: Donation) -> str | None:
        """Return the hosted page where the donor pays."""
        return donation.checkout_url or None

    def get_payment_intent(self, donation: Donation) -> str | None:
        """Return the id of the PaymentIntent on the organisation's Stripe account."""
        return donation.payment_intent or None

    def get_client_secret(self, donation: Donation) -> str | None:
        """Return what the integrator's page confirms the payment with: to who promised, only."""
        secret: str | None = self.context.get("client_secret")
        return secret

    def get_settled_currency(self, donation: Donation) -> str | None:
        """Return the currency that reached the organisation's balance."""
        return donation.settled_currency or None

    def get_journey_url(self, donation: Donation) -> str:
        """Return the donor's private page of this gift."""
        return journey_url(donation)

    @extend_schema_field(PayoutOfGift(allow_null=True))
    def get_payout(self, donation: Donation) -> Any:
        """Return the payout that its money is in, where Stripe tells it."""
        return PayoutOfGift(donation).data if donation.payout else None


class AskRefund(StrictSerializer):
    """What to give back of a gift: the body of `POST /v1/donations/<id>/refunds`."""

    amount = MinorUnits(
        required=False,
        default=None,
        help_text="Minor units of the gift's currency; left out, it is all that is left.",
    )
    reason = serializers.ChoiceField(
        choices=REASONS,
        required=False,
        default=RefundRequest.Reason.REQUESTED_BY_CUSTOMER,
    )


class RefundSerializer(serializers.ModelSerializer[RefundRequest]):
    """
    A refund and what became of it; `amount` counts minor units of the gift's currency.

    `requested` and `sent` wait for Stripe's answer; `pending` is on its way; what has `succeeded`
    can still come back and is `failed` then, with a reason; `refused` never left.
    """

    donation = serializers.CharField(source="donation_id")
    currency = serializers.CharField(source="donation.currency")
    stripe_refund = serializers.SerializerMethodField()
    refusal_code = serializers.SerializerMethodField()
    refusal = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()

    class Meta:
        model = RefundRequest
        fields = (
            "id",
            "donation",
            "status",
            "amount",
            "currency",
            "reason",
            "stripe_refund",
            "refusal_code",
            "refusal",
            "failure",
            "created_at",
        )
        read_only_fields = fields

    def get_stripe_refund(self, refund: RefundRequest) -> str | None:
        """Return the id of the refund on the organisation's Stripe account."""
        return refund.stripe_refund or None

    def get_refusal_code(self, refund: RefundRequest) -> str | None:
        """Return Stripe's code for why it was refused."""
        return refund.refusal_code or None

    def get_refusal(self, refund: RefundRequest) -> str | None:
        """Return why it was refused and what to do, for people."""
        return refund.refusal or None

    def get_failure(self, refund: RefundRequest) -> str | None:
        """Return Stripe's reason why it came back."""
        return refund.failure or None
