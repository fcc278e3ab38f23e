"""A gift, as a visitor promises it."""

import re
import secrets
import unicodedata
from typing import Any, cast

from django import forms

from common.errors import DomainError
from common.forms import PageForm
from common.money import exponent_of, format_amount, format_money
from donations.forms.amounts import DECIMALS_MAX, AmountUnclear, example, parse_amount
from donations.models import GENERAL, Fund
from donations.services.promises import WHOLE_MIN, check_amount
from organisations.models import Organisation

OFFERED = ("EUR", "USD", "GBP", "JPY")
WHOLE_PRESETS = {0: (1_000, 3_000, 5_000, 10_000, 30_000)}
WHOLE_PRESETS_ELSE = (10, 25, 50, 100, 250)
OTHER = "other"
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
KEY_BYTES = 18


def currencies_of(organisation: Organisation) -> list[str]:
    """Return what a gift can be made in: the organisation's own currency first."""
    return [organisation.currency, *(code for code in OFFERED if code != organisation.currency)]


class GiftForm(PageForm):
    """A gift, as a visitor promises it."""

    main = "main"
    currency = forms.ChoiceField(
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "Choose one of the currencies above."},
    )
    amount = forms.ChoiceField(
        error_messages={
            "required": "Choose an amount.",
            "invalid_choice": "Choose one of these amounts, or enter another.",
        }
    )
    other = forms.CharField(
        label="Other amount",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    fund = forms.ChoiceField(
        error_messages={
            "required": "Choose what your gift is for.",
            "invalid_choice": "Choose one of these funds.",
        }
    )
    public = forms.ChoiceField(choices=[("no", "no"), ("yes", "yes")], required=False)
    name = forms.CharField(
        label="Name to show",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail address",
        help_text="For the receipt and for nothing else",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=254,
        error_messages={
            "required": "Enter your e-mail address: the receipt goes there.",
            "invalid": "Enter an e-mail address like name@example.org.",
        },
    )
    key = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, funds: list[Fund], currency: str, **kwargs: Any) -> None:
        """Offer these funds, and amounts of this currency."""
        super().__init__(*args, **kwargs)
        self.currency_code = currency
        whole = WHOLE_PRESETS.get(exponent_of(currency), WHOLE_PRESETS_ELSE)
        presets = [amount * 10 ** exponent_of(currency) for amount in whole]
        self.presets = [(str(amount), format_preset(amount, currency)) for amount in presets]
        choices = {
            "currency": [(currency, currency)],
            "amount": [*self.presets, (OTHER, OTHER)],
            "fund": [(fund.slug, fund.name) for fund in funds],
        }
        for name, offered in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = offered
        self.decimals = min(exponent_of(currency), DECIMALS_MAX)
        least = WHOLE_MIN[exponent_of(currency)] * 10 ** exponent_of(currency)
        hint = f"From {format_money(least, currency)}, written like {example(self.decimals)}"
        self.fields["other"].help_text = hint
        slugs = [fund.slug for fund in funds]
        if self.initial.get("fund") not in slugs:
            self.initial["fund"] = next(iter(slugs), GENERAL)
        self.initial["amount"] = self.presets[0][0]

    def clean_key(self) -> str:
        """Return the key that makes a double submit one gift; a new one for what is no key."""
        key = str(self.cleaned_data["key"])
        return key if KEY.match(key) else new_key()

    def clean_name(self) -> str:
        """Return the name to show, if one shall be shown."""
        if self.cleaned_data.get("public") != "yes":
            return ""
        name = unicodedata.normalize("NFC", str(self.cleaned_data["name"]))
        if not name:
            raise forms.ValidationError("Enter the name to show, or choose not to show one.")
        if not name.isprintable():
            raise forms.ValidationError("Use letters, digits and signs that can be printed.")
        return name

    def clean(self) -> dict[str, Any]:
        """Add `minor`: the amount in minor units, whichever way it was given."""
        if "amount" in self.cleaned_data and "other" in self.cleaned_data:
            try:
                self.cleaned_data["minor"] = self._amount()
            except (AmountUnclear, DomainError) as error:
                self.add_error("other", str(error))
        return self.cleaned_data

    def _amount(self) -> int:
        given, typed = self.cleaned_data["amount"], self.cleaned_data["other"]
        minor = parse_amount(typed, self.currency_code) if given == OTHER else int(given)
        check_amount(minor, self.currency_code)
        return minor


def format_preset(amount: int, currency: str) -> str:
    """Return a preset as its button shows it: whole units, for presets have no others."""
    return format_amount(amount, currency).partition(".")[0]


def new_key() -> str:
    """Return a form's key: what is sent twice with it is one gift."""
    return secrets.token_urlsafe(KEY_BYTES)
