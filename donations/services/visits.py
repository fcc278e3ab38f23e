"""Letting donors in: whoever reads a donor's mail may see and change that donor's gifts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from donations.errors import TooManyLinks
from donations.models import Donation, DonorKnock, DonorVisit, RecurringGift
from organisations.services.mail import queue_mail

LINK_SALT, VISIT_SALT = "donations.link", "donations.visit"
ADDRESS_MAX, SENDER_MAX = 5, 30
KNOCKS_KEPT = timedelta(days=1)


@transaction.atomic
def ask_for_link(*, email: str, sender: str) -> None:
    """
    Mail a link to the gifts of an address, if it gave any; nobody is told whether it did.

    An address gets so many links an hour and no more; a network address asks for so many and is
    refused then: `TooManyLinks`.
    """
    now = timezone.now()
    if not _knock(f"sender:{sender}", now, SENDER_MAX):
        raise TooManyLinks
    if _knock(f"address:{email.lower()}", now, ADDRESS_MAX) and _gave(email):
        visit = DonorVisit.objects.create(email=email)
        token = signing.dumps(visit.id, salt=LINK_SALT)
        link = f"{settings.BASE_URL}{reverse('me-open')}?token={token}"
        queue_mail(to=email, template="donor_link", context={"link": link})


@transaction.atomic
def forget_visits() -> None:
    """Delete the visits that are over, and what was counted a day ago."""
    now = timezone.now()
    DonorVisit.objects.over(now).delete()
    DonorKnock.objects.filter(hour__lt=now - KNOCKS_KEPT).delete()


def link_is_good(token: str) -> bool:
    """Tell whether a link would open a visit now; it stays as it is."""
    return DonorVisit.objects.waiting(timezone.now()).filter(id=_read(token, LINK_SALT)).exists()


@transaction.atomic
def open_visit(*, token: str) -> str | None:
    """Use a link up and return the pass that the donor's browser shows; None for no good link."""
    now = timezone.now()
    waiting = DonorVisit.objects.waiting(now).filter(id=_read(token, LINK_SALT))
    if not waiting.update(opened_at=now):
        return None
    return signing.dumps(_read(token, LINK_SALT), salt=VISIT_SALT)


def visitor(pass_: str) -> DonorVisit | None:
    """Return the visit that a browser shows the pass of, while it lasts."""
    return DonorVisit.objects.open(timezone.now()).filter(id=_read(pass_, VISIT_SALT)).first()


def close_visit(*, visit: DonorVisit) -> None:
    """End a visit."""
    visit.delete()


def _gave(email: str) -> bool:
    gave = Donation.objects.by(email), RecurringGift.objects.by(email)
    return any(gifts.exists() for gifts in gave)


def _knock(who: str, now: datetime, limit: int) -> bool:
    """Count one more, unless they were too many in this hour already."""
    keyed = salted_hmac("donations.knock", who, algorithm="sha256").hexdigest()
    hour = now.replace(minute=0, second=0, microsecond=0)
    knock, _ = DonorKnock.objects.get_or_create(who=keyed, hour=hour)
    counted = DonorKnock.objects.filter(id=knock.id, times__lt=limit)
    return bool(counted.update(times=F("times") + 1))


def _read(signed: str, salt: str) -> str:
    try:
        return str(signing.loads(signed, salt=salt))
    except signing.BadSignature:
        return ""
