"""How an organisation takes gifts, as its members type it."""

from typing import Any

from django import forms

from common.forms import PageForm
from common.money import CURRENCIES
from donations.forms.amounts import AmountUnclear, examples, parse_amount, write_amount
from donations.models import GivingCurrency
from donations.models.giving import PRESETS_MAX, PRESETS_MIN

SHORT = {"class": "input--short", "inputmode": "decimal", "autocomplete": "off"}
AMOUNTS = ("least", "most")


class TermsForm(PageForm):
    """A currency, the amounts on its buttons, and what can be given at the least and the most."""

    main = "currency"
    currency = forms.ChoiceField(
        label="Currency",
        widget=forms.Select(attrs={"class": "input--short"}),
        choices=[(code, code) for code in sorted(CURRENCIES)],
        error_messages={
            "required": "Choose a currency from the list.",
            "invalid_choice": "Choose a currency from the list.",
        },
    )
    presets = forms.CharField(
        label="Amounts on the buttons",
        widget=forms.Textarea(attrs={"class": "input--short", "rows": PRESETS_MAX}),
        error_messages={"required": f"Enter {PRESETS_MIN} to {PRESETS_MAX} amounts."},
    )
    least = forms.CharField(
        label="The least that can be given",
        widget=forms.TextInput(attrs=SHORT),
        error_messages={"required": "Enter the least that can be given."},
    )
    most = forms.CharField(
        label="The most that can be given",
        widget=forms.TextInput(attrs=SHORT),
        error_messages={"required": "Enter the most that can be given."},
    )

    def __init__(self, *args: Any, terms: GivingCurrency, locale: str, **kwargs: Any) -> None:
        """Begin with these terms, written and read as in a locale."""
        self.locale = locale
        written = {name: self._write(getattr(terms, name), terms.currency) for name in AMOUNTS}
        lines = [self._write(amount, terms.currency) for amount in terms.presets]
        initial = {"currency": terms.currency, "presets": "\n".join(lines), **written}
        super().__init__(*args, initial=initial, **kwargs)
        such = examples(terms.currency, locale)
        self.fields[
            "presets"
        ].help_text = (
            f"{PRESETS_MIN} to {PRESETS_MAX}, one a line, the smallest first; written like {such}"
        )

    def clean(self) -> dict[str, Any]:
        """Read the amounts in the currency that was chosen."""
        currency = self.cleaned_data.get("currency")
        if currency:
            for name in AMOUNTS:
                self._read(name, currency)
            self._read("presets", currency)
        return self.cleaned_data

    def _read(self, name: str, currency: str) -> None:
        lines = str(self.cleaned_data.get(name, "")).splitlines()
        found: list[int] = []
        for line in filter(str.strip, lines):
            try:
                found.append(parse_amount(line, currency, self.locale))
            except AmountUnclear as error:
                where = f"Amount {len(found) + 1}: " if name == "presets" else ""
                return self.add_error(name, f"{where}{error}")
        if lines:
            self.cleaned_data[name] = found if name == "presets" else found[0]
        return None

    def _write(self, amount: int, currency: str) -> str:
        return write_amount(amount, currency, self.locale)
