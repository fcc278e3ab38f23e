"""An operator's own texts of mail: they come first, and a start refuses what could not be sent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from organisations.checks import check_mail_templates
from organisations.models import Mail
from organisations.services.mail import tell_owners
from tests.factories import MembershipFactory
from tests.organisations.test_mail import texts_in

ROOT = Path(__file__).resolve().parents[2]
OWN = "Subject: Welcome, {{ organisation.name }}\nGive at {{ base_url }}."


@pytest.fixture
def folder(tmp_path, settings) -> Path:
    """A folder of an operator."""
    settings.MAIL_TEMPLATES_DIR = str(tmp_path)
    settings.TEMPLATES = texts_in(settings, tmp_path, *settings.TEMPLATES[1]["DIRS"])
    return tmp_path


def wrong() -> list[str]:
    """Return what a start says of the folder."""
    return [f"{error.msg} {error.hint}" for error in check_mail_templates(None)]


def test_an_operators_text_comes_before_ours(db, folder):
    (folder / "application_approved.txt").write_text(OWN)
    owner = MembershipFactory(organisation__name="Lantern")
    Mail.objects.all().delete()

    tell_owners(owner.organisation, "application_approved")
    tell_owners(owner.organisation, "application_received")

    own, ours = Mail.objects.order_by("id")
    assert (own.subject, own.body) == ("Welcome, Lantern", "Give at http://localhost:8000.\n")
    assert ours.subject == "We have the application of Lantern"
    assert wrong() == []


def test_pages_are_not_replaced(client, db, folder):
    (folder / "base.html").write_text("Subject: x")

    assert b"<html" in client.get("/").content
    [said] = wrong()
    assert "base.html: no mail has this name. Take one of those in " in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Welcome!\nSubject: x", "its first line is no subject. Begin it with"),
        (b"Subject: x\n{% if %}", "it cannot be read ("),
        (b"Subject: \xff", "it cannot be read ("),
    ],
)
def test_what_could_not_be_sent_is_refused(folder, content, words):
    (folder / "application_question.txt").write_bytes(content)

    [said] = wrong()

    assert f"MAIL_TEMPLATES_DIR: {folder}/application_question.txt: {words}" in said


def test_a_folder_that_is_not_there_is_refused(settings, tmp_path):
    settings.MAIL_TEMPLATES_DIR = str(tmp_path / "nowhere")

    assert "there is no such folder. Make it, or leave the setting out." in wrong()[0]


def test_nothing_is_said_where_there_is_no_folder():
    assert wrong() == []


def test_the_setting_leads_to_the_folder(tmp_path):
    code = (
        "import django; django.setup(); from django.template import engines;"
        "print(engines['mail'].dirs[0])"
    )
    surroundings = {
        "MAIL_TEMPLATES_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **surroundings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == str(tmp_path)
