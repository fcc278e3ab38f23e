"""What visitors type: a gift, and which entries they want to see."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from django import forms

from common.errors import DomainError
from common.forms import PageForm
from common.money import exponent_of, format_amount, format_money
from donations.models import GENERAL, Fund
from donations.services.promises import WHOLE_MIN, check_amount
from ledger.models import Account
from ledger.operations import MoneyOperation
from ledger.templatetags.entries import account_words, operation_words
from organisations.models import Organisation

OFFERED = ("EUR", "USD", "GBP", "JPY")
WHOLE_PRESETS = {0: (1_000, 3_000, 5_000, 10_000, 30_000)}
WHOLE_PRESETS_ELSE = (10, 25, 50, 100, 250)
KINDS = {"Places": Account.Kind.PLACE, "Purposes": Account.Kind.PURPOSE}
OTHER = "other"
DIGITS = re.compile(r"(?:0|[1-9][0-9]{0,12})(?:\.([0-9]+))?\Z")
DECIMALS_MAX = 2
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
KEY_BYTES = 18


class AmountUnclear(ValueError):
    """An amount that could mean two things, or none; the message says how to write it."""


def parse_amount(text: str, currency: str) -> int:
    """
    Return the minor units that a typed amount means, if it can mean one thing only.

    ASCII digits, then either nothing or a point and exactly the currency's decimals (two at
    most). Raises `AmountUnclear` for everything else: `7,5`, `1.000`, `1 000`, `٤٠`.
    """
    match = DIGITS.match(text)
    decimals = min(exponent_of(currency), DECIMALS_MAX)
    if not match or (match[1] is not None and len(match[1]) != decimals):
        raise AmountUnclear(_how_to_write(text, decimals))
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(exponent_of(currency), "0"))


def _how_to_write(text: str, decimals: int) -> str:
    example = _example(decimals)
    rule = f"{decimals} decimals after a point, or none" if decimals else "no decimals"
    if not text:
        return f"Enter an amount, such as {example}."
    if "," in text:
        return f"Write the amount without a comma, such as {example}: with one it is unclear."
    if "." in text:
        return f"Write the amount with {rule}, such as {example}."
    return f"Write the amount in the digits 0 to 9 alone, such as {example}."


def _example(decimals: int) -> str:
    return "40 or 40.25" if decimals else "4000"


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
        hint = f"From {format_money(least, currency)}, written like {_example(self.decimals)}"
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


class Pages(PageForm):
    """From where on to show entries, when they are many."""

    main = "entries"
    before = forms.IntegerField(
        required=False, min_value=0, max_value=2**53, widget=forms.HiddenInput
    )
    after = forms.IntegerField(
        required=False, min_value=0, max_value=2**53, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say how to write what is no number."""
        super().__init__(*args, **kwargs)
        for name in ("before", "after"):
            self.fields[name].error_messages |= {"invalid": "Write the entry as a whole number."}

    def clean(self) -> dict[str, Any]:
        """Refuse two directions at once."""
        if None not in (self.cleaned_data.get("before"), self.cleaned_data.get("after")):
            self.add_error(None, "Ask for entries before one or after one, not both.")
        return self.cleaned_data


class EntryFilter(Pages):
    """Which entries of a book to show, and from where on."""

    operation = forms.ChoiceField(
        required=False,
        label="What happened",
        choices=[
            ("", "Everything"),
            *((operation.value, operation_words(operation.value)) for operation in MoneyOperation),
        ],
        error_messages={"invalid_choice": "Choose what happened from the list."},
    )
    account = forms.ChoiceField(
        label="Place or purpose",
        required=False,
        error_messages={"invalid_choice": "Choose a place or a purpose from the list."},
    )
    since = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the first day like 2026-11-01."},
    )
    until = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Write the last day like 2026-11-30."},
    )
    field_order = ("operation", "account", "since", "until", "before", "after")

    def __init__(
        self, *args: Any, accounts: list[Account], names: Mapping[str, str], **kwargs: Any
    ) -> None:
        """Offer the book's own accounts, called by their names."""
        super().__init__(*args, **kwargs)
        groups = [
            (label, sorted({account.name for account in accounts if account.kind == kind}))
            for label, kind in KINDS.items()
        ]
        cast(forms.ChoiceField, self.fields["account"]).choices = [
            ("", "All"),
            *(
                (label, [(account, account_words(account, names)) for account in group])
                for label, group in groups
            ),
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day must not be before the first.")
        return super().clean()
