"""
Visitors who promise gifts: their tries are counted exactly, and some are stopped.

Whoever counts locks the rows of the visitor's traits and of the organisation, in one order; so no
two tries overlook each other. Who is stopped already is turned away without a lock, so that an
attack on one organisation's form costs the others nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import cast

from django.db import connection, transaction
from django.utils import timezone

from organisations.models import Organisation
from reviews.models import Case, Screening, Watched
from reviews.rules.facts import Gift, Traits
from reviews.rules.rule import Verdict
from reviews.services.attempts import record_promised
from reviews.services.cases import open_case
from reviews.services.screening import Result, keep_turned_away, screen
from reviews.traits import key_of

BLOCKED_FOR = timedelta(hours=1)
CHALLENGED_FOR = timedelta(minutes=10)
ORGANISATION = "organisation"
SITE_BITS = 64
SELF_HEALING = (
    "Visitors solve a small puzzle before they can give, until ten minutes after it is over; other "
    "organisations are not affected."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands against a visitor before any rule looks, and which rule said so."""

    verdict: Verdict
    rule: str


@dataclass(frozen=True, slots=True)
class Visit:
    """
    One try to promise a gift: `reference` tells it from others, `puzzle` names a solved one.

    A program (`is_program`) cannot be challenged: it answers for its own visitors.
    """

    gift: Gift
    reference: str
    puzzle: str = ""
    is_program: bool = False

    @property
    def keys(self) -> list[str]:
        """Return the names of the rows that are locked, in the order in which they are."""
        traits = {name: getattr(self.gift.traits, name) for name in ("address", "session", "email")}
        named = [f"{name}:{value}" for name, value in traits.items() if value]
        return sorted([*named, self.organisation_key])

    @property
    def organisation_key(self) -> str:
        """Return the name of the row that all visitors of an organisation share."""
        return _key_of(self.gift.organisation)


def traits_of(*, address: str = "", session: str = "", email: str = "") -> Traits:
    """
    Return what a visitor is told apart by.

    An address that is not a public one tells nobody apart: everybody seems to come from a proxy
    that has not been counted (`TRUSTED_PROXY_COUNT`).
    """
    return Traits(
        address=key_of("address", _place_of(address)),
        session=key_of("session", session),
        email=key_of("email", email),
    )


def screen_visit(visit: Visit) -> Verdict:
    """
    Count a try to promise a gift, have it screened, and return the verdict.

    Must not run within a transaction: a try that is refused has been one.
    """
    standing = _standing(visit)
    # A puzzle is used up before anything is locked: once, whoever shows it at the same time.
    answers = not _blocks(standing) and (visit.is_program or _use_puzzle(visit))
    if standing and not answers:
        return _turn_away(visit, standing)
    return _count(visit, answers=answers)


def turn_away(visit: Visit) -> Verdict:
    """
    Return what stands against a visitor already; who is turned away has made a try.

    For whoever shows a puzzle that was not used yet, nothing stands: `screen_visit` uses it up.
    """
    standing = _standing(visit)
    if standing is None or (not _blocks(standing) and _has_puzzle(visit)):
        return Verdict.APPROVE
    return _turn_away(visit, standing)


def challenges_everybody(organisation: Organisation) -> bool:
    """Tell whether every visitor of an organisation is challenged at the moment."""
    row = Watched.objects.filter(key=_key_of(organisation), verdict=Verdict.CHALLENGE)
    return row.filter(until__gt=timezone.now()).exists()


def forget_visitors() -> None:
    """Delete whom nothing stands against any more; whoever comes again is watched anew."""
    before = timezone.now() - timedelta(days=1)
    Watched.objects.filter(seen_at__lt=before, until=None).delete()
    Watched.objects.filter(until__lt=before).delete()


@transaction.atomic
def _turn_away(visit: Visit, standing: Standing) -> Verdict:
    record_promised(gift=visit.gift, reference=visit.reference)
    keep_turned_away(gift=visit.gift, verdict=standing.verdict, rule=standing.rule)
    return standing.verdict


@transaction.atomic
def _count(visit: Visit, *, answers: bool) -> Verdict:
    # The moment is taken under the lock: who comes later has a later one, and sees this try.
    visit = replace(visit, gift=replace(visit.gift, at=_lock(visit.keys)))
    standing = _standing(visit)
    if standing and (_blocks(standing) or not answers):
        return _turn_away(visit, standing)  # who waited for the lock meanwhile
    record_promised(gift=visit.gift, reference=visit.reference)
    screened = screen(
        occasion=Screening.Occasion.PROMISE,
        gift=visit.gift,
        passes_challenge=answers,
    )
    for result in screened.results:
        if result.counts and result.finding.binds:
            _bind(visit, result)
    return screened.verdict


def _place_of(address: str) -> str:
    """Return a public address; of IPv6 the /64 that one customer has, with all its addresses."""
    try:
        place = ip_address(address)
    except ValueError:
        return ""
    if isinstance(place, IPv6Address):
        place = place.ipv4_mapped or place
    if not place.is_global:
        return ""
    is_long = isinstance(place, IPv6Address)
    return str(ip_network((place, SITE_BITS), strict=False)) if is_long else str(place)


def _standing(visit: Visit) -> Standing | None:
    bound = Watched.objects.filter(key__in=visit.keys, until__gt=visit.gift.at)
    found = [Standing(Verdict(row.verdict), row.rule) for row in bound]
    return max(found, key=lambda each: each.verdict.weight, default=None)


def _blocks(standing: Standing | None) -> bool:
    return standing is not None and standing.verdict == Verdict.BLOCK


def _lock(keys: list[str]) -> datetime:
    rows = [Watched(key=key, seen_at=timezone.now()) for key in keys]
    Watched.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["seen_at"], unique_fields=["key"]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [now] = cursor.fetchone()
    return cast(datetime, now)


def _bind(visit: Visit, result: Result) -> None:
    verdict, rule = result.finding.verdict, result.version.rule
    everybody = ORGANISATION in result.finding.binds
    lasts = CHALLENGED_FOR if everybody else BLOCKED_FOR
    bound = {key for key in visit.keys if key.partition(":")[0] in result.finding.binds}
    Watched.objects.filter(key__in=bound).update(
        verdict=verdict, rule=rule.name, until=visit.gift.at + lasts
    )
    if everybody:
        organisation = visit.gift.organisation
        open_case(
            organisation=organisation,
            kind=Case.Kind.CARD_TESTING,
            subject=organisation.pk,
            summary=f"{rule.in_words(result.version.parameters)} {SELF_HEALING}",
            again=True,
        )


def _has_puzzle(visit: Visit) -> bool:
    return bool(visit.puzzle) and not Watched.objects.filter(key=_puzzle_key(visit)).exists()


def _use_puzzle(visit: Visit) -> bool:
    if not visit.puzzle:
        return False
    _, is_new = Watched.objects.get_or_create(
        key=_puzzle_key(visit), defaults={"seen_at": visit.gift.at}
    )
    return is_new


def _key_of(organisation: Organisation) -> str:
    return f"{ORGANISATION}:{organisation.pk}"


def _puzzle_key(visit: Visit) -> str:
    return f"puzzle:{visit.puzzle}"
