"""What staff send from the pages of a case and of rules."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.utils import timezone

from organisations.models import Organisation, User
from reviews.models import RuleVersion
from reviews.rules.rule import WHOLE_MAX

REASON_LENGTH_MAX = 2_000
MORNING = time(9)
UNTIL = {
    "hour": "For an hour",
    "tomorrow": "Until tomorrow, 9:00",
    "week": "Until next Monday, 9:00",
    "day": "Until a day, 9:00",
}


def deciders() -> QuerySet[User]:
    """Return the active staff who may decide cases."""
    named = Permission.objects.filter(codename="decide_case", content_type__app_label="reviews")
    may = Q(user_permissions__in=named) | Q(groups__permissions__in=named) | Q(is_superuser=True)
    staff = User.objects.filter(is_active=True, is_staff=True)
    return staff.filter(may).distinct().order_by("email")


def until(moment: str, on: Any = None) -> datetime:
    """Return when something that is put off comes back."""
    now = timezone.now()
    if moment == "hour":
        return now + timedelta(hours=1)
    days = {"tomorrow": 1, "week": 7 - now.weekday()}
    day = on if moment == "day" else now.date() + timedelta(days=days[moment])
    return datetime.combine(day, MORNING, tzinfo=now.tzinfo)


class ActForm(forms.Form):
    """One act on a case: which, and what belongs to it."""

    act = forms.ChoiceField(
        choices=[
            (name, name)
            for name in ("decide", "take", "put_back", "hand_over", "comment", "snooze", "reopen")
        ]
    )
    choice = forms.CharField(required=False, max_length=20)
    round = forms.IntegerField(required=False)
    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH_MAX,
        error_messages={"max_length": "Be shorter: at most %(limit_value)d characters."},
    )
    to = forms.ModelChoiceField(User.objects.none(), required=False)
    until = forms.ChoiceField(required=False, choices=list(UNTIL.items()))
    on = forms.DateField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who may decide."""
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = deciders()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check that what the act needs is there."""
        given = self.cleaned_data
        if given.get("act") == "hand_over" and not given.get("to"):
            self.add_error("to", "Choose to whom you hand the case over.")
        if given.get("act") == "snooze":
            is_day = given.get("until") == "day"
            if not given.get("until") or (is_day and not given.get("on")):
                self.add_error("until", "Choose until when you put the case off.")
        return given


AMOUNTS_HELP = "One a line: a currency, then a whole number. * is every other currency."
AMOUNT_DIGITS_MAX = len(str(WHOLE_MAX))
AMOUNTS_REFUSED = (
    "Write one a line: a currency, then a whole number of at most "
    f"{AMOUNT_DIGITS_MAX} digits, as in “EUR 500”."
)


class AmountsField(forms.CharField):
    """Amounts by currency, one a line: `EUR 500`; `*` is every other currency."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Return amounts as lines."""
        if not isinstance(value, Mapping):
            return value
        return "\n".join(f"{code} {amount}" for code, amount in value.items())

    def to_python(self, value: Any) -> Any:
        """Return lines as amounts."""
        amounts = {}
        for line in (super().to_python(value) or "").splitlines():
            code, _, amount = line.strip().partition(" ")
            amount = amount.strip()
            if not amount.isdecimal() or len(amount) > AMOUNT_DIGITS_MAX:
                raise forms.ValidationError(AMOUNTS_REFUSED)
            amounts[code.upper()] = int(amount)
        return amounts


class ProposalForm(forms.Form):
    """Other parameters for a rule, and why."""

    organisation = forms.CharField(
        required=False,
        label="Organisation’s address",
        help_text="As in its page’s address, for example “lantern”. Empty: all organisations.",
    )
    mode = forms.ChoiceField(choices=RuleVersion.Mode.choices, label="Then it is")
    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever puts it in force reads this.",
    )

    def __init__(self, given: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        """Take the parameters that are in force: each is a field."""
        super().__init__(*args, **kwargs)
        self._keyed = {"amounts": given} if "*" in given else given
        self._is_amounts = "*" in given
        own = {name: self._field(name, value) for name, value in self._keyed.items()}
        self.fields = own | self.fields

    def clean_organisation(self) -> Organisation | None:
        """Return the organisation with this address."""
        slug = self.cleaned_data["organisation"]
        found = Organisation.objects.filter(slug=slug).first()
        if slug and found is None:
            raise forms.ValidationError("No organisation has this address.")
        return found

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as rules take them."""
        given = {name: self.cleaned_data[name] for name in self._keyed}
        return given["amounts"] if self._is_amounts else given

    def _field(self, name: str, value: Any) -> forms.Field:
        label = name.replace("_", " ").capitalize()
        if isinstance(value, Mapping):
            return AmountsField(label=label, initial=value, help_text=AMOUNTS_HELP)
        return forms.IntegerField(label=label, initial=value)
