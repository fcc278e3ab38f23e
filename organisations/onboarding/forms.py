"""What applicants type."""

import unicodedata
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError

from common.fields import DECEPTIVE
from common.forms import PageForm
from common.money import CURRENCIES
from organisations.forms import NewMemberForm
from organisations.models import SLUG
from organisations.registration_numbers import Verdict, check, expected

# Babel lists more than countries: groups, territories without an ISO code, and ones for tests.
NO_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
NAMES = Locale("en").territories
COUNTRIES = sorted(
    ((code, name) for code, name in NAMES.items() if code.isalpha() and code not in NO_COUNTRIES),
    key=lambda country: country[1],
)


def country_field() -> forms.ChoiceField:
    """Return a field for a country."""
    return forms.ChoiceField(
        label="Country where it is registered",
        choices=[("", "Choose a country"), *COUNTRIES],
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={
            "required": "Choose a country.",
            "invalid_choice": "Choose a country from the list.",
        },
    )


class Line(forms.CharField):
    """One line of text with nothing in it that cannot be seen."""

    def to_python(self, value: Any) -> str:
        """Return the text in Unicode's normal form."""
        text = super().to_python(value) or ""
        if DECEPTIVE.search(text):
            raise ValidationError("Remove what cannot be seen: line breaks, control characters.")
        return unicodedata.normalize("NFC", text)


class Text(forms.CharField):
    """Some lines of text."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """Return the text with plain line ends."""
        text = "\n".join((super().to_python(value) or "").splitlines())
        if DECEPTIVE.search(text.replace("\n", "")):
            raise ValidationError("Remove what cannot be seen, such as control characters.")
        return unicodedata.normalize("NFC", text)


class AddressForm(PageForm):
    """Where to send the link with which an application begins."""

    main = "email"
    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": "Enter your e-mail address: the link goes there.",
            "invalid": "Enter an e-mail address, like name@example.org.",
        },
    )


class StartForm(PageForm):
    """Which organisation applies."""

    main = "organisation"
    organisation = Line(
        label="Name of your organisation",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": "Enter the name of your organisation."},
    )
    country = country_field()


class SignUpForm(StartForm, NewMemberForm):
    """Which organisation applies, and who it is that applies for it."""

    name = Line(
        label="Your name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Enter your name."},
    )
    field_order = ["organisation", "country", "name", "password"]


class IdentityForm(PageForm):
    """Who an applicant is; what is missing still may be left out until it is sent in."""

    main = "name"
    name = Line(
        label="Name",
        max_length=120,
        error_messages={"required": "Enter the name of your organisation."},
    )
    slug = forms.CharField(
        label="Address of your page",
        help_text="The last part of its URL: a to z, 0 to 9, and single hyphens",
        max_length=60,
        error_messages={"required": "Enter the last part of your page’s address."},
    )
    summary = Line(
        label="In one line",
        help_text="Such as: Night shelter and day kitchen in Ghent, Belgium",
        max_length=200,
        required=False,
    )
    description = Text(
        label="What you do, and what gifts are used for",
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    country = country_field()
    currency = forms.ChoiceField(
        label="Currency of your books",
        choices=[(code, code) for code in sorted(CURRENCIES)],
        widget=forms.Select(attrs={"class": "input--short"}),
        error_messages={"invalid_choice": "Choose a currency from the list."},
    )
    registration = Line(
        label="Registration number",
        help_text="From the register of charities, associations or companies",
        max_length=120,
        required=False,
    )
    website = forms.URLField(
        label="Website, if you have one",
        max_length=200,
        required=False,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "url"}),
        error_messages={"invalid": "Enter a web address, like https://example.org."},
    )

    def clean_slug(self) -> str:
        """Return the slug as it stands in URLs."""
        slug = str(self.cleaned_data["slug"]).strip().lower()
        if not SLUG.match(slug):
            raise ValidationError("Use a to z, 0 to 9, and single hyphens between them.")
        return slug

    def clean_website(self) -> str:
        """Return a web address that leads where it says."""
        website = str(self.cleaned_data["website"])
        parts = urlsplit(website)
        if website and (parts.scheme not in ("http", "https") or "@" in parts.netloc):
            raise ValidationError("Enter a web address, like https://example.org.")
        return website

    def clean(self) -> dict[str, Any]:
        """Refuse a registration number that the country's register cannot have given out."""
        typed: dict[str, Any] = super().clean() or {}
        number, country = typed.get("registration", ""), typed.get("country", "")
        if number and check(country, number) is Verdict.WRONG:
            sentence = (
                f"This is not a number of {NAMES[country]}: enter a {expected(country)}."
                " Check its digits."
            )
            self.add_error("registration", sentence)
        return typed
