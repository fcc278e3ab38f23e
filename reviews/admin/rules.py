"""Rules: what runs, with which parameters, and how other ones are proposed and put in force."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from common.admin import PageAdmin
from common.errors import DomainError
from common.money import format_money
from organisations.admin import staff
from organisations.models import Organisation
from reviews.errors import ParametersUnusable
from reviews.forms import ProposalForm
from reviews.models import RuleVersion
from reviews.rules.limits import TWO_PEOPLE
from reviews.rules.register import RULES
from reviews.services import versions

# As `reviews_people_needed_v1` has it where nobody set another limit.
TWO_PEOPLE_SHIPPED = {"*": 100_000}
TWO_PEOPLE_WORDS = (
    "From these amounts on two people decide what moves or frees the money of a case; to close one "
    "that moves none takes one person. They count the smallest unit of a currency (cents); * "
    "stands for every other currency."
)
FIGURES = {
    "gifts": "Gifts looked at",
    "hits": "Hits",
    "errors": "Could not look",
    "held_gifts": "Gifts that would have been held",
    "cases": "Cases that may move money",
    "doubled": "Cases that two people would have decided",
    "doubled_before": "Cases that two people did decide",
}


@dataclass(frozen=True, slots=True)
class Described:
    """
    A rule in words, with the parameters that are in force.

    The form for other ones begins with what is `offered`.
    """

    name: str
    title: str
    sentence: str
    parameters: Mapping[str, Any]
    in_force: RuleVersion | None
    offered: Mapping[str, Any]

    @property
    def since(self) -> str:
        """Return with which version it runs."""
        if self.in_force is None:
            return "as shipped"
        is_off = self.in_force.mode == RuleVersion.Mode.OFF
        return f"switched off, version {self.in_force.number}" if is_off else f"{self.in_force}"


def described(name: str, organisation: Organisation | None = None) -> Described | None:
    """Return a rule as it runs at an organisation, or (without one) at all of them."""
    if name != TWO_PEOPLE and name not in RULES:
        return None
    kept = RuleVersion.objects.for_organisation(organisation).filter(rule=name)
    in_force = kept.filter(activated_at__isnull=False).first()
    given = in_force.parameters if in_force else {}
    if name == TWO_PEOPLE:
        parameters = given or TWO_PEOPLE_SHIPPED
        sentence = f"{TWO_PEOPLE_WORDS} Now: {_spoken(parameters)}."
        return Described(name, "Two people decide", sentence, parameters, in_force, parameters)
    rule = RULES[name]
    try:
        typed = rule.parameters(given)
    except ParametersUnusable as error:
        # A release took away what this version sets.
        sentence = (
            f"It cannot run until somebody proposes it anew. {error} Kept is: {_listed(given)}."
        )
        offered = asdict(rule.parameters({}))
        return Described(name, rule.title, sentence, given, in_force, offered)
    parameters = asdict(typed)
    return Described(name, rule.title, rule.in_words(typed), parameters, in_force, parameters)


@admin.register(RuleVersion)
class RuleVersionAdmin(PageAdmin[RuleVersion]):
    """Every version of a rule's parameters; each has a page on which it is put in force."""

    change_list_template = "admin/reviews/ruleversion/versions.html"
    list_display = ["rule", "number", "organisation", "state", "proposed_by", "proposed_at"]
    list_select_related = ["organisation", "proposed_by"]
    ordering = ["-id"]
    exact_lookups = ["rule", "organisation__slug"]

    @admin.display(description="State")
    def state(self, version: RuleVersion) -> str:
        """Return where a version stands."""
        if version.withdrawn_at:
            return "withdrawn"
        if version.activated_at:
            return f"put in force by {version.activated_by}"
        return "in the shadow" if version.backtest is not None else "in the shadow, being tested"

    def has_set_permission(self, request: HttpRequest) -> bool:
        """Tell who may propose and put in force."""
        return request.user.has_perm("reviews.set_rules")

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which versions are proposed."""
        view = self.admin_site.admin_view(self.propose)
        return [path("propose/", view, name="reviews_ruleversion_propose"), *super().get_urls()]

    def propose(self, request: HttpRequest) -> HttpResponse:
        """Show every rule as it runs, or the form for one; a POST proposes a version."""
        if not self.has_set_permission(request):
            raise PermissionDenied
        chosen = described(request.GET.get("rule", ""))
        if chosen is None:
            return self.page(request, "rules", "Rules", rules=self._every())
        form = ProposalForm(chosen.offered, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                version = self._propose(request, chosen.name, form)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(_url(version))
        return self.page(request, "propose", f"Propose: {chosen.title}", rule=chosen, form=form)

    def show(self, request: HttpRequest, row: RuleVersion) -> HttpResponse:
        """Show a version beside what is in force, with what it would have found."""
        now = described(row.rule, row.organisation)
        return self.page(
            request,
            "version",
            f"{now.title if now else row.rule}, version {row.number}",
            version=row,
            state=self.state(row),
            now=now,
            changes=_changes(row, now),
            figures=_figures(row.backtest or {}),
            may_set=self.has_set_permission(request),
            is_own=row.proposed_by == request.user,
        )

    def act(self, request: HttpRequest, row: RuleVersion) -> HttpResponse:
        """Put a version in force, withdraw it, or have it tested again."""
        if not self.has_set_permission(request):
            raise PermissionDenied
        by = staff(request)
        match request.POST.get("act"):
            case "activate":
                put = lambda version: versions.activate(version=version, by=by)  # noqa: E731
                self.decide(request, [row], put, "put in force")
            case "withdraw":
                back = lambda version: versions.withdraw(version=version, by=by)  # noqa: E731
                self.decide(request, [row], back, "withdrawn")
            case "backtest":
                again = lambda version: versions.order_backtest(version=version)  # noqa: E731
                self.decide(request, [row], again, "is being tested on the last 90 days")
        return HttpResponseRedirect(request.path)

    def _propose(self, request: HttpRequest, rule: str, form: ProposalForm) -> RuleVersion:
        given = form.cleaned_data
        version = versions.propose(
            rule=rule,
            organisation=given["organisation"],
            parameters=form.parameters(),
            mode=given["mode"],
            reason=given["reason"],
            by=staff(request),
        )
        self.log_change(request, version, f"proposed: {given['reason']}")
        said = f"{version}: proposed. It runs in the shadow, and is being tested on 90 days."
        self.message_user(request, said, messages.SUCCESS)
        return version

    def _every(self) -> list[Described]:
        found = (described(name) for name in (TWO_PEOPLE, *RULES))
        return [rule for rule in found if rule]


def _url(version: RuleVersion) -> str:
    return reverse("admin:reviews_ruleversion_change", args=[version.pk])


def _changes(version: RuleVersion, now: Described | None) -> list[tuple[str, str, str, bool]]:
    before = now.parameters if now else {}
    return [
        (
            name.replace("_", " "),
            _spoken(before.get(name)),
            _spoken(value),
            value != before.get(name),
        )
        for name, value in version.parameters.items()
    ]


def _listed(parameters: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name.replace('_', ' ')} {_spoken(value)}" for name, value in parameters.items()
    )


def _spoken(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{code} {amount:,}" for code, amount in value.items())
    return "–" if value is None else f"{value:,}"


def _figures(backtest: Mapping[str, Any]) -> list[tuple[str, str]]:
    figures = [
        (words, f"{backtest[name]:,}") for name, words in FIGURES.items() if name in backtest
    ]
    held = backtest.get("held_amounts", {})
    money = [format_money(amount, currency) for currency, amount in sorted(held.items())]
    verdicts = [f"{verdict} {count:,}" for verdict, count in backtest.get("by_verdict", {}).items()]
    figures += [("Money that would have been held", ", ".join(money))] if money else []
    return figures + ([("Hits by verdict", ", ".join(verdicts))] if verdicts else [])
