"""What the demo refuses, and how it shows its progress; the demo itself is tests/house."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from common.stripe_api import client
from organisations.models import Mail, Organisation
from organisations.registration_numbers import Verdict, check
from tests.factories import StripeEventFactory, UserFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe
from webhooks import demo_applicant, demo_world
from webhooks.demo import CHARITIES
from webhooks.management.commands import seed_demo
from webhooks.management.commands.seed_demo import Bar

__all__ = ["sandbox_process", "sandbox_stripe"]


class Terminal(StringIO):
    """A terminal, as far as a progress bar can tell."""

    def isatty(self) -> bool:
        return True


def test_without_the_sandbox_there_is_no_demo():
    with pytest.raises(CommandError, match="needs the sandbox"):
        call_command("seed_demo")


def test_a_demo_that_is_there_is_kept_and_told_anew_where_it_is(settings, tmp_path):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    settings.BASE_URL = "http://127.0.0.1:8"
    settings.DATA_DIR = tmp_path
    (tmp_path / "demo.json").write_text('{"staff": {"email": "a@b.org"}, "base_url": "old"}')

    call_command("seed_demo")

    told = json.loads((tmp_path / "demo.json").read_text())
    assert told["staff"] == {"email": "a@b.org"}
    assert told["base_url"] == "http://127.0.0.1:8"
    assert told["stripe"]["api_base"] == "http://127.0.0.1:9"


def name_at_stripe(organisation):
    """Return what the payment page calls an organisation."""
    account = client().v1.accounts.retrieve(str(organisation.stripe_account))
    return account.business_profile.name


@pytest.mark.django_db
def test_the_demos_accounts_have_names_and_how_they_stand_is_known(sandbox_stripe):
    told = seed_demo.set_up(CHARITIES[0], UserFactory(is_staff=True))

    organisation = Organisation.objects.get(id=told["id"])
    assert name_at_stripe(organisation) == organisation.name == CHARITIES[0].name
    assert organisation.account_state.read_at
    assert organisation.account_state.charges_enabled


@pytest.mark.django_db
def test_the_demo_has_an_applicant_who_waits_for_staff(sandbox_stripe):
    owner = UserFactory()

    for _ in range(2):
        demo_applicant.apply(owner)

    applicant = Organisation.objects.get()
    assert (applicant.status, applicant.slug) == ("applied", "tideline-choir")
    assert check(applicant.country, applicant.registration) is Verdict.GOOD
    assert applicant.account_state.charges_enabled
    assert name_at_stripe(applicant) == "Tideline Choir"
    document = applicant.documents.get()
    assert (document.kind, document.name) == (
        "application/pdf",
        "Statutes of the Tideline Choir.pdf",
    )
    assert Mail.objects.get().recipient == owner.email


def test_a_terminal_sees_one_line_that_grows(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bar = Bar(2)

    bar.step()
    bar.step()
    bar.finish()

    assert terminal.getvalue().count("\r") == 2
    assert "2/2 gifts" in terminal.getvalue()


def test_a_log_sees_a_line_now_and_then(monkeypatch):
    log = StringIO()
    monkeypatch.setattr("sys.stderr", log)
    bar = Bar(100)

    for _ in range(100):
        bar.step()

    assert log.getvalue().count("\n") == 2


@pytest.mark.django_db
def test_a_worker_that_does_not_keep_up_is_not_waited_for_for_ever(monkeypatch):
    StripeEventFactory(status="pending")
    monkeypatch.setattr(demo_world, "WAIT_SECONDS", 0)
    monkeypatch.setattr(demo_world, "control", lambda *_path, **_fields: None)

    with pytest.raises(CommandError, match="worker does not keep up"):
        demo_world.wait_until_booked()
