"""What members type about gifts: which they look for, and what they give back."""

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from common.forms import PageForm
from donations.forms.amounts import (
    AmountUnclear,
    examples,
    isolated,
    parse_amount,
    write_amount,
)
from donations.forms.entries import Days
from donations.forms.gifts import KEY
from donations.models import NOTE_LENGTH_MAX, REASONS, Donation, Fund, RefundRequest
from donations.templatetags.gifts import GIFT_STATES

GIFT_ID = re.compile(r"don_[0-9a-z]{26}\Z")
ALL, PART = "all", "part"


class GiftFilter(Days):
    """Which gifts to show, and from where on."""

    main = "gifts"
    status = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All"), *((status, state.words) for status, state in GIFT_STATES.items())],
        error_messages={"invalid_choice": "Choose a state from the list."},
    )
    fund = forms.ChoiceField(
        label="For",
        required=False,
        error_messages={"invalid_choice": "Choose a fund from the list."},
    )
    before = forms.RegexField(
        GIFT_ID,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": "Follow the links below the list to see older gifts."},
    )
    field_order = ("status", "fund", "since", "until", "before")

    def __init__(self, *args: Any, funds: list[Fund], **kwargs: Any) -> None:
        """Offer these funds."""
        super().__init__(*args, **kwargs)
        choices = [("", "Everything"), *((fund.slug, fund.name) for fund in funds)]
        cast(forms.ChoiceField, self.fields["fund"]).choices = choices


class FindGift(PageForm):
    """One gift by its id or, for who may see donors, the gifts of one address."""

    main = "wanted"
    wanted = forms.CharField(
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter what to look for."},
    )

    def __init__(self, *args: Any, may_see_donors: bool, **kwargs: Any) -> None:
        """Ask for what this member may look for."""
        super().__init__(*args, **kwargs)
        self.may_see_donors = may_see_donors
        self.fields["wanted"].label = (
            "Gift’s id or donor’s e-mail address" if may_see_donors else "Gift’s id"
        )

    @property
    def is_for_an_address(self) -> bool:
        """Tell which of the two was typed."""
        return not GIFT_ID.match(self.cleaned_data["wanted"])

    def clean_wanted(self) -> str:
        """Return an id or an address."""
        wanted = str(self.cleaned_data["wanted"])
        if GIFT_ID.match(wanted):
            return wanted
        if not self.may_see_donors:
            raise ValidationError("A gift’s id begins with don_ and has 30 characters.")
        try:
            validate_email(wanted)
        except ValidationError as error:
            raise ValidationError(
                "Enter a gift’s id, which begins with don_, or an address like name@example.org."
            ) from error
        return wanted


class RefundForm(PageForm):
    """
    What to give back of a gift, and why.

    `confirmed` is the amount in minor units that stood on the page where it was confirmed.
    """

    main = "main"
    what = forms.ChoiceField(
        choices=[(ALL, ALL), (PART, PART)],
        error_messages={
            "required": "Choose how much to give back.",
            "invalid_choice": "Choose all or a part.",
        },
    )
    part = forms.CharField(
        label="How much",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.ChoiceField(
        label="Why",
        choices=REASONS,
        error_messages={
            "required": "Choose why.",
            "invalid_choice": "Choose one of these reasons.",
        },
    )
    note = forms.CharField(
        label="Note for your organisation",
        help_text="Not needed. Neither the donor nor Stripe sees it",
        required=False,
        max_length=NOTE_LENGTH_MAX,
    )
    key = forms.RegexField(
        KEY,
        widget=forms.HiddenInput,
        error_messages={
            "required": "The form was incomplete. Open it again from the gift’s page.",
            "invalid": "The form was incomplete. Open it again from the gift’s page.",
        },
    )
    confirmed = forms.IntegerField(
        required=False, min_value=1, max_value=2**53 - 1, widget=forms.HiddenInput
    )

    def __init__(
        self, *args: Any, donation: Donation, left: int, locale: str, **kwargs: Any
    ) -> None:
        """Ask for no more than is left, as it is written in a locale."""
        super().__init__(*args, **kwargs)
        self.currency, self.left, self.locale = donation.currency, left, locale
        such = examples(self.currency, locale)
        self.fields["part"].help_text = f"Up to {self._most()}, written like {such}"
        self.initial["what"], self.initial["reason"] = ALL, RefundRequest.Reason.values[0]

    def clean(self) -> dict[str, Any]:
        """Add `minor`: the amount in minor units, as it was confirmed or else as it was typed."""
        confirmed = self.cleaned_data.get("confirmed")
        if confirmed is None and "what" in self.cleaned_data and "part" in self.cleaned_data:
            try:
                confirmed = self._amount()
            except AmountUnclear as error:
                self.add_error("part", str(error))
        self.cleaned_data["minor"] = confirmed
        return self.cleaned_data

    def _amount(self) -> int:
        if self.cleaned_data["what"] == ALL:
            return self.left
        minor = parse_amount(self.cleaned_data["part"], self.currency, self.locale)
        if not 1 <= minor <= self.left:
            raise AmountUnclear(f"Enter more than nothing, and no more than {self._most()}.")
        return minor

    def _most(self) -> str:
        return f"{isolated(write_amount(self.left, self.currency, self.locale))} {self.currency}"
