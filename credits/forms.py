"""What members type: which owner they look for, and by which rule gifts grant credits."""

from typing import Any, cast

from django import forms

from common.forms import PageForm
from common.money import AMOUNT_MAX, CURRENCIES

ON, OFF = "on", "off"


class GrantRuleForm(PageForm):
    """A rule for the gifts in one currency."""

    main = "application"
    application = forms.ChoiceField(
        error_messages={"invalid_choice": "Choose one of these applications."}
    )
    currency = forms.ChoiceField(
        label="Currency in which the gift settles",
        widget=forms.Select(attrs={"class": "input--short"}),
        choices=[(code, code) for code in sorted(CURRENCIES)],
        error_messages={"invalid_choice": "Choose a currency from the list."},
    )
    minor_units_per_credit = forms.IntegerField(
        label="One credit for every",
        help_text=(
            "In the currency’s smallest units, cents for example: 100 is one credit for every "
            "1.00 EUR, or every 100 JPY"
        ),
        widget=forms.TextInput(
            attrs={"class": "input--short", "inputmode": "numeric", "autocomplete": "off"}
        ),
        min_value=1,
        max_value=AMOUNT_MAX,
        error_messages={
            "required": "Enter a whole number, such as 100.",
            "invalid": "Enter a whole number in the digits 0 to 9 alone, such as 100.",
            "min_value": "Enter 1 or more.",
            "max_value": "Enter a smaller number.",
        },
    )
    state = forms.ChoiceField(
        choices=[(ON, "Grant credits"), (OFF, "Grant none")],
        error_messages={"required": "Choose on or off.", "invalid_choice": "Choose on or off."},
    )

    def __init__(self, *args: Any, applications: list[str], **kwargs: Any) -> None:
        """Offer the applications that are installed."""
        super().__init__(*args, **kwargs)
        choices = [(name, name) for name in applications]
        cast(forms.ChoiceField, self.fields["application"]).choices = choices
