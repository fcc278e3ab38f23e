"""What the page of a case shows of the gift that it is about."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from donations.models import Donation, RefundRequest
from organisations.models import Organisation
from reviews.models import Case
from reviews.panels import Panel

KINDS = (Case.Kind.GIFT, Case.Kind.FRAUD_WARNING, Case.Kind.REFUND, Case.Kind.DISPUTE)
EARLIER_MAX = 5
# As far back as rules are tested; a book may have a million gifts.
LATELY = timedelta(days=90)
SEES_DONORS = "donations.view_donation"
IN_LEDGER = Q(sequence__isnull=False)


def panels(case: Case) -> Iterator[Panel]:
    """Yield the gift, what else its donor gave, and what else its organisation was given."""
    gifts = Donation.objects.select_related("organisation", "recurring")
    gift = gifts.filter(organisation=case.organisation, id=case.gift).first()
    if gift is None:
        return
    refunds = RefundRequest.objects.of_gift(gift)
    yield Panel("The gift", "donations/panels/gift.html", {"gift": gift, "refunds": refunds})
    donor = _donor(gift)
    yield Panel("The donor", "donations/panels/donor.html", donor, SEES_DONORS)
    yield Panel("The organisation", "donations/panels/organisation.html", _given(gift.organisation))


def _donor(gift: Donation) -> dict[str, Any]:
    if not gift.donor_email:
        return {"gift": gift, "earlier": [], "elsewhere": 0}
    others = Donation.objects.given_by(gift.donor_email).exclude(id=gift.id)
    here = others.filter(organisation=gift.organisation)
    return {
        "gift": gift,
        "count": here.filter(IN_LEDGER).count(),
        "earlier": list(here.order_by("-created_at")[:EARLIER_MAX]),
        "elsewhere": others.exclude(organisation=gift.organisation).filter(IN_LEDGER).count(),
    }


def _given(organisation: Organisation) -> dict[str, Any]:
    since = timezone.now() - LATELY
    gifts = Donation.objects.of(organisation).filter(created_at__gte=since)
    counts = gifts.aggregate(
        settled=Count("pk", filter=IN_LEDGER),
        disputed=Count("pk", filter=Q(disputed_amount__gt=0)),
        refunded=Count("pk", filter=Q(refunded_amount__gt=0)),
    )
    sums = gifts.filter(IN_LEDGER).values_list("settled_currency").annotate(Sum("settled_amount"))
    return {"organisation": organisation, **counts, "sums": sums.order_by("settled_currency")}
