"""Which entries of a book visitors want to see."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms

from common.forms import PageForm
from ledger.models import Account
from ledger.operations import MoneyOperation
from ledger.templatetags.entries import account_words, operation_words

KINDS = {"Places": Account.Kind.PLACE, "Purposes": Account.Kind.PURPOSE}


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


class Days(PageForm):
    """From which day to which something happened."""

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

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day must not be before the first.")
        return self.cleaned_data


class EntryFilter(Days, Pages):
    """Which entries of a book to show, and from where on."""

    main = Pages.main
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
