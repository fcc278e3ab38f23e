"""Mail to those whose gift repeats: each thing once, and each with what mends it."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.dateformat import format as format_day

from common.money import format_money
from donations.models import RecurringGift, RecurringNotice
from donations.services.subscriptions import InvoiceFacts
from organisations.services.mail import queue_mail

Kind = RecurringNotice.Kind


def tell_what_changed(recurring: RecurringGift) -> None:
    """Tell the donor that a gift started or ended, if it did and nobody said so yet."""
    if recurring.started_at:
        _tell(recurring, Kind.ENDED if recurring.ended_at else Kind.STARTED)


def tell_trouble(*, recurring: RecurringGift, invoice: InvoiceFacts, must_confirm: bool) -> None:
    """Tell the donor that a payment waits for them, is tried again, or will not be."""
    failed = Kind.FAILED if invoice.retry_at else Kind.LAST_TRY
    if _is_news(recurring, invoice):
        _tell(recurring, Kind.CONFIRM if must_confirm else failed, invoice)


def mend_url(recurring: RecurringGift) -> str:
    """Return the link of mails to the page on which a payment is mended."""
    path = reverse("recurring-mend", args=[recurring.id])
    return f"{settings.BASE_URL}{path}?token={recurring.token}"


def _is_news(recurring: RecurringGift, invoice: InvoiceFacts) -> bool:
    # The first payment is made with the donor at the page; a paid one needs nobody any more.
    if invoice.is_first or recurring.ended_at:
        return False
    is_later_known = recurring.notices.filter(invoice=invoice.id, attempt__gte=invoice.attempt)
    return not (is_later_known.exists() or recurring.payments.filter(invoice=invoice.id).exists())


def _tell(recurring: RecurringGift, kind: Kind, invoice: InvoiceFacts | None = None) -> None:
    if not recurring.donor_email:
        return
    _, is_new = RecurringNotice.objects.get_or_create(
        organisation=recurring.organisation,
        recurring=recurring,
        kind=kind,
        invoice=invoice.id if invoice else "",
        attempt=invoice.attempt if invoice else 0,
    )
    if is_new:
        queue_mail(
            to=recurring.donor_email,
            template=f"recurring_{kind}",
            context=_context(recurring, invoice),
        )


def _context(recurring: RecurringGift, invoice: InvoiceFacts | None) -> dict[str, Any]:
    retry_at = invoice.retry_at if invoice else None
    donate = reverse("donate", args=[recurring.organisation.slug])
    return {
        "organisation": recurring.organisation.name,
        "amount": format_money(recurring.amount, recurring.currency),
        "rhythm": recurring.rhythm,
        "retry_on": format_day(retry_at, "l, j F Y") if retry_at else "",
        "is_unpaid": recurring.ended_reason == "payment_failed",
        "manage_url": f"{settings.BASE_URL}{reverse('me')}",
        "mend_url": mend_url(recurring),
        "donate_url": f"{settings.BASE_URL}{donate}",
    }
