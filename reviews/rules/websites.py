"""Whether an applicant's website answers: the one check that asks somebody else."""

from http import HTTPStatus

from django.conf import settings

from common.outbound import NotSent, send
from organisations.models import Organisation
from reviews.rules.applications import Check
from reviews.rules.rule import Finding, Verdict, hit, not_run, passed

GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def _visit(organisation: Organisation) -> Finding:
    website = organisation.website
    if not website:
        return not_run("It named no website.")
    # Like messages to integrators it goes to public addresses over https alone.
    allows_private = settings.WEBHOOKS_ALLOW_PRIVATE
    try:
        answer = send(website, b"", {}, method="GET", allow_private=allows_private)
    except NotSent as error:
        return hit(Verdict.REVIEW, 10, {"website": website, "why": str(error)})
    facts: dict[str, int | str] = {"website": website, "status": answer.status}
    # A site that turns programs away (401, 403, 429) is there all the same.
    if answer.status in GONE or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return hit(Verdict.REVIEW, 10, facts)
    return passed(facts)


WEBSITE = Check(
    name="website",
    title="Website",
    words="Whether its website answers. Whose it is, nobody knows from that.",
    look=_visit,
)
