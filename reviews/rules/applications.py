"""What is looked at by itself when an organisation applies: facts that we have, for people."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import Upper

from organisations.models import Membership, Organisation, StripeAccountState
from organisations.registration_numbers import Verdict as NumberVerdict
from organisations.registration_numbers import check, expected
from organisations.requirement_words import in_words, why_disabled
from reviews.rules.rule import Finding, Outcome, Verdict, hit, not_run, passed
from reviews.rules.sanctions import found_in
from reviews.sanctions import screen_name

NAMED_MAX = 5
BY_WEIGHT = (Outcome.NOT_RUN, Outcome.PASS, Outcome.ERROR, Outcome.HIT)
# Numbers are compared without what people put between their digits.
STRANGE = "[^0-9A-Za-z]"
PLAIN = Func(F("registration"), Value(STRANGE), Value(""), Value("g"), function="regexp_replace")


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing to look at: `name` is stable, and screenings are kept by it.

    `words` says to staff what it looks for. Whatever it finds, a person decides.
    """

    name: str
    title: str
    words: str
    look: Callable[[Organisation], Finding]


def _number(organisation: Organisation) -> Finding:
    number, country = organisation.registration, organisation.country
    facts = {"number": number or "none", "country": country}
    found = check(country, number)
    if found is NumberVerdict.NOT_CHECKED:
        return not_run(f"No form of numbers is known for {country}. Compare {number} by hand.")
    if found is NumberVerdict.GOOD:
        return passed(facts)
    return hit(Verdict.REVIEW, 30, {**facts, "expected": expected(country)})


def _others(organisation: Organisation) -> Finding:
    alike = [(each, _marks(each)) for each in _alike(organisation)]
    facts = {}
    for what, own in _marks(organisation).items():
        named = [f"{each} ({each.status})" for each, marks in alike if own and marks[what] == own]
        if named:
            facts[f"same_{what}"] = _listed(named)
    if facts:
        return hit(Verdict.REVIEW, 40, facts)
    return passed({"compared": "name, registration number, website"})


def _owners(organisation: Organisation) -> Finding:
    owners = organisation.memberships.filter(role=Membership.Role.OWNER).values("user")
    theirs = Organisation.objects.filter(memberships__user__in=owners).exclude(pk=organisation.pk)
    refused = theirs.filter(status=Organisation.Status.REJECTED).distinct().order_by("-decided_at")
    facts: dict[str, int | str] = {"other_organisations": theirs.distinct().count()}
    named = [f"{each}: {each.decision_reason}" for each in refused[: NAMED_MAX + 1]]
    if named:
        return hit(Verdict.REVIEW, 40, {**facts, "rejected": _listed(named)})
    return passed(facts)


def _account(organisation: Organisation) -> Finding:
    state = StripeAccountState.objects.filter(organisation=organisation).first()
    if state is None or state.read_at is None:
        why = "Stripe did not tell yet how the account stands."
        return Finding(Outcome.ERROR, evidence={"why": why})
    wrong = {
        "stopped": why_disabled(state.disabled_reason),
        "overdue": _listed(in_words(state.past_due)),
        "disconnected": "yes" if state.disconnected_at else "",
    }
    facts = {
        "takes_payments": "yes" if state.charges_enabled else "no",
        "is_paid_out": "yes" if state.payouts_enabled else "no",
        "due": _listed(in_words(state.currently_due)) or "nothing",
    }
    facts |= {name: words for name, words in wrong.items() if words}
    is_well = state.charges_enabled and not any(wrong.values())
    return passed(facts) if is_well else hit(Verdict.REVIEW, 20, facts)


def _names(organisation: Organisation) -> Finding:
    owners = organisation.memberships.filter(role=Membership.Role.OWNER).select_related("user")
    people = [owner.user.name for owner in owners]
    found = [
        found_in(screen_name(organisation.name, kind="organisation")),
        *(found_in(screen_name(name, kind="person")) for name in people if name.strip()),
    ]
    # What is worst of all the names: a hit, else what could not be looked at.
    return max(found, key=lambda each: BY_WEIGHT.index(each.outcome))


CHECKS = (
    Check(
        name="registration_number",
        title="Registration number",
        words="Whether it can be one of its country’s. Whose it is, the documents must show.",
        look=_number,
    ),
    Check(
        name="other_organisations",
        title="Other organisations here",
        words="Whether another organisation here has its name, its registration number or website.",
        look=_others,
    ),
    Check(
        name="owners_before",
        title="What its owners applied with before",
        words="Whether one of its owners has applied with an organisation that was rejected.",
        look=_owners,
    ),
    Check(
        name="listed_names",
        title="Names on lists of sanctions",
        words="Whether the organisation or one of its owners is called like somebody listed.",
        look=_names,
    ),
    Check(
        name="stripe_account",
        title="Stripe account",
        words="Whether it takes payments, and Stripe waits for nothing that is overdue.",
        look=_account,
    ),
)


def _alike(organisation: Organisation) -> QuerySet[Organisation]:
    # Drafts are nobody's word yet: anybody can type another's name into one.
    sent_in = Organisation.objects.exclude(status=Organisation.Status.DRAFT)
    own = _marks(organisation)
    same = Q(name__iexact=organisation.name)
    if own["registration"]:
        same |= Q(plain=own["registration"].partition(" ")[2])
    if own["website"]:
        same |= Q(website__icontains=own["website"])
    found = sent_in.annotate(plain=Upper(PLAIN)).filter(same).exclude(pk=organisation.pk)
    return found.order_by("created_at")


def _marks(organisation: Organisation) -> dict[str, str]:
    number = re.sub(STRANGE, "", organisation.registration).upper()
    return {
        "name": organisation.name.casefold(),
        "registration": number and f"{organisation.country} {number}",
        "website": (urlsplit(organisation.website).hostname or "").removeprefix("www."),
    }


def _listed(named: Iterable[str]) -> str:
    every = list(named)
    more = f"; {len(every) - NAMED_MAX} more" * (len(every) > NAMED_MAX)
    return "; ".join(every[:NAMED_MAX]) + more
