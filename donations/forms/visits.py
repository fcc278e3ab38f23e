"""What donors type on the pages of their own gifts."""

from typing import Any

from django import forms

from common.errors import DomainError
from common.forms import PageForm
from donations.forms.amounts import (
    AmountUnclear,
    examples,
    isolated,
    parse_amount,
    write_amount,
)
from donations.models import EMAIL_LENGTH_MAX, RecurringGift
from donations.services.giving import check_amount


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


class AmountForm(PageForm):
    """Another amount for a gift that repeats."""

    main = "amount"
    amount = forms.CharField(
        label="New amount",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, recurring: RecurringGift, locale: str, **kwargs: Any) -> None:
        """Ask for an amount in the currency of the gift, as it is written in a locale."""
        super().__init__(*args, **kwargs)
        self.recurring, self.locale = recurring, locale
        now = isolated(write_amount(recurring.amount, recurring.currency, locale))
        hint = (
            f"Now {now} {recurring.currency}, written like {examples(recurring.currency, locale)}"
        )
        self.fields["amount"].help_text = hint

    def clean_amount(self) -> int:
        """Return the amount in minor units."""
        recurring = self.recurring
        try:
            minor = parse_amount(self.cleaned_data["amount"], recurring.currency, self.locale)
            check_amount(
                organisation=recurring.organisation, amount=minor, currency=recurring.currency
            )
        except (AmountUnclear, DomainError) as error:
            raise forms.ValidationError(str(error)) from error
        return minor
