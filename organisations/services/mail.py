"""Mail: a row in the transaction that has something to say, sent by the worker."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from organisations.models import Mail, Membership, Organisation, User
from organisations.models.mail import SUBJECT_LENGTH_MAX

logger = logging.getLogger("almoner.mail")
SUBJECT = "Subject: "
FIRST_PAUSE = timedelta(seconds=30)


def queue_mail(*, to: str, template: str, context: dict[str, Any]) -> Mail:
    """Write a mail to one person; it leaves after the commit."""
    subject, body = write(template, context)
    return Mail.objects.create(recipient=to, subject=subject, body=body)


def write(template: str, context: dict[str, Any]) -> tuple[str, str]:
    """
    Return the subject and the text that `templates/mail/<template>.txt` makes.

    The file's first line is the subject, cut where long names make it too long; `base_url` is there
    for its links. An operator's own file of that name, in `MAIL_TEMPLATES_DIR`, comes first.
    """
    facts = {"base_url": settings.BASE_URL, **context}
    text = render_to_string(f"{template}.txt", facts, using="mail")
    subject, _, body = text.partition("\n")
    assert subject.startswith(SUBJECT)
    subject = subject.removeprefix(SUBJECT).strip()[:SUBJECT_LENGTH_MAX]
    return subject, body.strip() + "\n"


def mail_members(
    *,
    organisation: Organisation,
    roles: Iterable[str],
    template: str,
    context: dict[str, Any],
    rather: User | None = None,
) -> None:
    """
    Write to the members of an organisation who have one of these roles and may still sign in.

    The one whom it is `rather` for hears of it alone, while they are among them. The text knows
    the `organisation` and the `person`.
    """
    members = organisation.memberships.filter(role__in=roles, user__is_active=True)
    alone = members.filter(user=rather)
    chosen = alone if alone.exists() else members
    for member in chosen.select_related("user").order_by("id"):
        facts = {**context, "organisation": organisation, "person": member.user}
        queue_mail(to=member.user.email, template=template, context=facts)


def tell_owners(organisation: Organisation, template: str) -> None:
    """Write to everybody who owns an organisation."""
    owners = [Membership.Role.OWNER]
    mail_members(organisation=organisation, roles=owners, template=template, context={})


def send_due(*, limit: int) -> int:
    """
    Hand the mail that is due to the mail server, at most `limit`; return how many were tried.

    One that is refused waits longer each time. One may go out twice, when a worker is killed
    between the server's answer and the end of its row.
    """
    due = _claim(limit)
    for mail in due:
        try:
            EmailMessage(mail.subject, mail.body, to=[mail.recipient]).send()
        except Exception as error:  # whatever it is, the others are sent; its text names the person
            facts = {"id": mail.pk, "attempts": mail.attempts, "error": type(error).__name__}
            logger.warning("mail not sent", extra=facts)
        else:
            mail.delete()
    return len(due)


@transaction.atomic
def _claim(limit: int) -> list[Mail]:
    # The next attempt is put off before this one: a worker that is killed has not lost it.
    now = timezone.now()
    due = list(Mail.objects.due(now).select_for_update(skip_locked=True).order_by("id")[:limit])
    for mail in due:
        mail.next_attempt_at = now + FIRST_PAUSE * 2**mail.attempts
        mail.attempts += 1
    Mail.objects.bulk_update(due, ["next_attempt_at", "attempts"])
    return due
