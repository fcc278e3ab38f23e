"""A gift, as a visitor promises it."""

import re
import secrets
import unicodedata
from typing import Any, cast

from django import forms

from common.errors import DomainError
from common.forms import PageForm
from common.money import exponent_of
from donations.errors import AmountOutOfRange
from donations.forms.amounts import (
    DECIMALS_MAX,
    AmountUnclear,
    examples,
    isolated,
    parse_amount,
    write_amount,
    write_shortly,
)
from donations.forms.numbers import signs_of
from donations.models import GENERAL, Fund, GivingCurrency

OTHER, ONCE = "other", "once"
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
MINOR = re.compile(r"[1-9][0-9]{0,11}\Z")
KEY_BYTES = 18


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
    interval = forms.ChoiceField(
        choices=[(ONCE, "Once"), ("month", "Every month"), ("year", "Every year")],
        required=False,
        error_messages={"invalid_choice": "Choose how often to give."},
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
        help_text="For the receipt and the link to your gifts, and for nothing else",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        max_length=254,
        error_messages={
            "required": "Enter your e-mail address: the receipt goes there.",
            "invalid": "Enter an e-mail address like name@example.org.",
        },
    )
    key = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, funds: list[Fund], terms: GivingCurrency, locale: str, **kwargs: Any
    ) -> None:
        """Offer these funds, and amounts by these terms as they are written in a locale."""
        super().__init__(*args, **kwargs)
        self.terms, self.currency_code = terms, terms.currency
        self.locale, self.signs = locale, signs_of(locale)[0]
        self.exponent = exponent_of(terms.currency)
        self.decimals = min(self.exponent, DECIMALS_MAX)
        self.presets = [
            (str(amount), write_shortly(amount, terms.currency, locale)) for amount in terms.presets
        ]
        choices = {
            "currency": [(terms.currency, terms.currency)],
            "amount": [*self.presets, (OTHER, OTHER)],
            "fund": [(fund.slug, fund.name) for fund in funds],
        }
        for name, offered in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = offered
        such = examples(terms.currency, locale)
        self.fields["other"].help_text = f"From {self._money(terms.least)}, written like {such}"
        slugs = [fund.slug for fund in funds]
        if self.initial.get("fund") not in slugs:
            self.initial["fund"] = next(iter(slugs), GENERAL)
        self._choose_amount(str(self.initial.get("amount") or ""))
        self.initial["interval"] = ONCE

    def clean_key(self) -> str:
        """Return the key that makes a double submit one gift; a new one for what is no key."""
        key = str(self.cleaned_data["key"])
        return key if KEY.match(key) else new_key()

    def clean_interval(self) -> str | None:
        """Return how often to give, None for once."""
        interval = str(self.cleaned_data["interval"])
        return None if interval in ("", ONCE) else interval

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
            except AmountOutOfRange as error:
                bounds = self._money(error.least), self._money(error.most)
                self.add_error("other", f"Give between {' and '.join(bounds)}.")
            except (AmountUnclear, DomainError) as error:
                self.add_error("other", str(error))
        return self.cleaned_data

    def _amount(self) -> int:
        given, typed = self.cleaned_data["amount"], self.cleaned_data["other"]
        if given != OTHER:
            return int(given)
        minor = parse_amount(typed, self.currency_code, self.locale)
        self.terms.check_amount(minor)
        return minor

    def _choose_amount(self, wanted: str) -> None:
        self.initial["amount"] = self.presets[0][0]
        if wanted in dict(self.presets):
            self.initial["amount"] = wanted
        elif MINOR.match(wanted):
            typed = write_amount(int(wanted), self.currency_code, self.locale)
            self.initial.update(amount=OTHER, other=typed)

    def _money(self, amount: int) -> str:
        written = write_amount(amount, self.currency_code, self.locale)
        return f"{isolated(written)} {self.currency_code}"


def new_key() -> str:
    """Return a form's key: what is sent twice with it is one gift."""
    return secrets.token_urlsafe(KEY_BYTES)
