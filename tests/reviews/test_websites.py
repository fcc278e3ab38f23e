"""Applicants' websites: asked by the worker, once a case, where the operator wants that."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from organisations.models import Organisation
from reviews.models import Case, Screening
from reviews.services.checking import receive_application
from reviews.tasks import look_at_applicants_websites
from tests.factories import ApplicantFactory, CaseFactory
from tests.reviews.test_application_panel import shown

pytestmark = pytest.mark.django_db


@contextmanager
def site(status):
    """Run a website of this machine that answers with a status; yield its address, and visits."""
    visits = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            visits.append((self.path, self.headers["Host"]))
            self.send_response(status)
            self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/about", visits
        server.shutdown()


@pytest.fixture
def asked(settings):
    """Ask websites, on this machine too."""
    settings.APPLICANTS_WEBSITES_ARE_ASKED = settings.WEBHOOKS_ALLOW_PRIVATE = True


def applied(website) -> Case:
    return receive_application(organisation=ApplicantFactory(name="Lantern", website=website))


def found(case):
    """Return what was found of a case's website."""
    results = Screening.objects.filter(subject=case.id).latest("id").results
    return [(each["outcome"], each["evidence"]) for each in results if each["rule"] == "website"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "pass"),
        (301, "pass"),
        (403, "pass"),
        (404, "hit"),
        (410, "hit"),
        (499, "pass"),
        (500, "hit"),
    ],
)
def test_a_website_is_asked_once_and_its_answer_is_evidence(asked, status, outcome):
    with site(status) as (address, visits):
        case = applied(address)
        look_at_applicants_websites(timestamp=0)
        look_at_applicants_websites(timestamp=0)

    assert [path for path, _ in visits] == ["/about"]
    assert found(case) == [(outcome, {"website": address, "status": status})]
    assert "Whether its website answers." in shown(case)


@pytest.mark.parametrize(
    ("website", "outcome", "words"),
    [
        ("", "not_run", "named no website"),
        ("https://localhost/", "hit", "There was no answer"),
        ("http://127.0.0.1:1/", "hit", "Use port 443"),
        ("ftp://lantern.example/", "hit", "begins with https"),
    ],
)
def test_what_does_not_answer_is_said(asked, website, outcome, words):
    case = applied(website)

    look_at_applicants_websites(timestamp=0)

    [(came, evidence)] = found(case)
    assert came == outcome
    assert words in evidence["why"]


def test_private_networks_are_not_asked(asked, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    with site(200) as (address, visits):
        case = applied(address)
        look_at_applicants_websites(timestamp=0)

    assert visits == []
    assert found(case)[0][0] == "hit"


def test_nobody_is_asked_unless_the_operator_wants_it():
    with site(200) as (address, visits):
        case = applied(address)
        look_at_applicants_websites(timestamp=0)

    assert (visits, found(case)) == ([], [])


def test_what_is_decided_or_about_nobody_is_left_alone(asked):
    with site(200) as (address, visits):
        decided = applied(address)
        Case.objects.filter(pk=decided.pk).update(
            closed_at=decided.opened_at, choice="overtaken", reason="The operator approved it."
        )
        CaseFactory(kind=Case.Kind.APPLICATION, organisation=None)
        CaseFactory(organisation=Organisation.objects.get(pk=decided.organisation_id))
        look_at_applicants_websites(timestamp=0)

    assert visits == []
