"""What `reviews` does when an organisation applies, or is approved without anybody's case."""

from typing import Any

from django.dispatch import receiver

from organisations.models import Organisation
from organisations.signals import application_submitted, organisation_approved
from reviews.models import Case
from reviews.services.cases import overtake
from reviews.services.checking import receive_application


@receiver(application_submitted)
def open_application_case(organisation: Organisation, **_kwargs: Any) -> None:
    """Check the application and put it before staff, in the transaction that sends it in."""
    receive_application(organisation=organisation)


@receiver(organisation_approved)
def end_application_case(organisation: Organisation, **_kwargs: Any) -> None:
    """End the case of an organisation that the operator approved; a decided one is ended before."""
    cases = Case.objects.open().filter(kind=Case.Kind.APPLICATION, subject=organisation.id)
    for case in cases:
        overtake(case=case, reason="The operator approved it.")
