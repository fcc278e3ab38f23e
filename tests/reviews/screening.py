"""What rules find, from the public door: attempts are recorded, and a gift is screened."""

from datetime import UTC, datetime, timedelta
from itertools import count

from reviews.models import Screening
from reviews.rules.facts import Account, Gift, Traits
from reviews.services.attempts import Payment, record_declined, record_paid, record_promised
from reviews.services.screening import screen, screen_account
from reviews.traits import key_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NUMBERS = count()


def keys(**named):
    """Return traits: each value hashed as visitors' are, the country as it is."""
    country = named.pop("country", "")
    hashed = {kind: key_of(kind, value) for kind, value in named.items()}
    return Traits(**hashed, country=country)


def gift_of(organisation, amount=5000, currency="EUR", *, at=NOW, traits=None, **fields):
    """Return a gift as the apps above describe it."""
    number = next(NUMBERS)
    return Gift(
        id=fields.pop("id", f"don_{number}"),
        organisation=organisation,
        amount=amount,
        currency=currency,
        at=at,
        traits=traits or Traits(),
        **fields,
    )


def promised(organisation, at=NOW, **traits):
    """Have a gift promised; return it."""
    gift = gift_of(organisation, at=at, traits=keys(**traits))
    record_promised(gift=gift, reference=f"form-{gift.id}")
    return gift


def declined(organisation, **payment):
    """Have a card declined, for a gift that was promised at the same moment."""
    record_declined(organisation=organisation, payments=[_payment(organisation, **payment)])


def paid(organisation, **payment):
    """Have a gift paid, that was promised at the same moment."""
    record_paid(organisation=organisation, payments=[_payment(organisation, **payment)])


def _payment(organisation, *, at=NOW, amount=5000, currency="EUR", gift="", **traits):
    known, number = keys(**traits), next(NUMBERS)
    own = gift or f"don_{number}"
    origin = gift_of(organisation, at=at, id=own, traits=known)
    record_promised(gift=origin, reference=f"form-{number}")
    return Payment(
        gift=own,
        reference=f"ch_{number}",
        at=at,
        amount=amount,
        currency=currency,
        card=known.card,
        email=known.email,
        name=known.name,
        country=known.country,
    )


def found(rule, gift, occasion=Screening.Occasion.PROMISE):
    """Have a gift screened; return what one rule found, as the log keeps it."""
    return result_of(screen(occasion=occasion, gift=gift), rule)


def found_settled(rule, gift):
    """Have a settled gift screened; return what one rule found."""
    return found(rule, gift, Screening.Occasion.SETTLEMENT)


def holds(gift):
    """Tell whether a settled gift must be held."""
    return screen(occasion=Screening.Occasion.SETTLEMENT, gift=gift).holds


def found_of_account(rule, organisation, **fields):
    """Have an account screened; return what one rule found, and whether payouts must wait."""
    stands = {
        "settled": 1000,
        "disputed": [],
        "warned": [],
        "bank_changed_at": None,
        "bank_shared_with": [],
        "at": NOW,
    }
    screened = screen_account(Account(organisation=organisation, **{**stands, **fields}))
    return result_of(screened, rule), screened.holds


def result_of(screened, rule):
    """Return what one rule found."""
    kept = Screening.objects.get(pk=screened.kept.pk)
    [result] = [result for result in kept.results if result["rule"] == rule]
    return result


def came_out(result):
    """Return how a rule came out, and what follows."""
    return result["outcome"], result["verdict"]


PASSED = ("pass", "approve")
NOT_RUN = ("not_run", "approve")
CHALLENGED = ("hit", "challenge")
REVIEWED = ("hit", "review")
BLOCKED = ("hit", "block")
SCORED = ("hit", "approve")
