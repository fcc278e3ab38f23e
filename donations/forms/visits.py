"""What donors type on the pages of their own gifts."""

from typing import Any

from django import forms

from common.errors import DomainError
from common.forms import PageForm
from common.money import exponent_of, format_money
from donations.forms.amounts import DECIMALS_MAX, AmountUnclear, example, parse_amount
from donations.forms.gifts import KEY, new_key
from donations.models import EMAIL_LENGTH_MAX, RecurringGift
from donations.services.promises import check_amount


class LinkForm(PageForm):
    """For which address somebody asks to see the gifts."""

    main = "email"
    email = forms.EmailField(
        label="E-mail address",
        help_text="The one that you gave with",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=EMAIL_LENGTH_MAX,
        error_messages={
            "required": "Enter your e-mail address: the link goes there.",
            "invalid": "Enter an e-mail address like name@example.org.",
        },
    )


class KeyForm(PageForm):
    """A change that a form asks for; what is sent twice with its key is one change."""

    main = "main"
    key = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_key(self) -> str:
        """Return the form's key, a new one for what is none."""
        key = str(self.cleaned_data["key"])
        return key if KEY.match(key) else new_key()


class AmountForm(KeyForm):
    """Another amount for a gift that repeats."""

    amount = forms.CharField(
        label="New amount",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, recurring: RecurringGift, **kwargs: Any) -> None:
        """Ask for an amount in the currency of the gift."""
        super().__init__(*args, **kwargs)
        self.currency_code = recurring.currency
        decimals = min(exponent_of(self.currency_code), DECIMALS_MAX)
        now = format_money(recurring.amount, self.currency_code)
        hint = f"Now {now}; write it like {example(decimals)}"
        self.fields["amount"].help_text = hint

    def clean_amount(self) -> int:
        """Return the amount in minor units."""
        try:
            minor = parse_amount(self.cleaned_data["amount"], self.currency_code)
            check_amount(minor, self.currency_code)
        except (AmountUnclear, DomainError) as error:
            raise forms.ValidationError(str(error)) from error
        return minor
