"""What members type: which owner they look for, and by which rule gifts grant credits."""

from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from common.money import AMOUNT_MAX, CURRENCIES

ON, OFF = "on", "off"


class GrantRuleForm(forms.Form):
    """A rule for the gifts in one currency."""

    application = forms.ChoiceField(
        error_messages={"invalid_choice": "Choose one of these applications."}
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCIES)],
        error_messages={"invalid_choice": "Choose a currency from the list."},
    )
    minor_units_per_credit = forms.IntegerField(
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
        choices=[(ON, ON), (OFF, OFF)],
        error_messages={"required": "Choose on or off.", "invalid_choice": "Choose on or off."},
    )

    def __init__(self, *args: Any, applications: list[str], **kwargs: Any) -> None:
        """Offer the applications that are installed."""
        super().__init__(*args, **kwargs)
        choices = [(name, name) for name in applications]
        cast(forms.ChoiceField, self.fields["application"]).choices = choices

    def problems(self) -> list[tuple[str, str]]:
        """Return every error with the id of the field that mends it, in the form's order."""
        return [
            ("application" if name == NON_FIELD_ERRORS else name, str(error))
            for name in [NON_FIELD_ERRORS, *self.fields]
            for error in self.errors.get(name, [])
        ]
