"""Mail: queued with what it tells, sent later, tried again, and named in no log."""

from datetime import timedelta
from smtplib import SMTPException

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from organisations.models import Mail
from organisations.models.mail import ATTEMPTS_MAX
from organisations.services.mail import mail_members, queue_mail, send_due, tell_owners
from organisations.tasks import BATCH_MAX, send_mail
from tests.factories import MailFactory, MembershipFactory, OrganisationFactory, UserFactory

TEXT = "Subject: Hello {{ name }}\n\nLook at {{ base_url }}/me.\n"


def texts_in(settings, *folders):
    """Return the settings with the texts of mail in these folders."""
    pages, mails = settings.TEMPLATES
    return [pages, {**mails, "DIRS": folders}]


@pytest.fixture
def hello(tmp_path, settings):
    """A template of a mail."""
    (tmp_path / "hello.txt").write_text(TEXT)
    settings.TEMPLATES = texts_in(settings, tmp_path)
    settings.BASE_URL = "https://give.example"


@pytest.fixture
def down(monkeypatch):
    """A mail server that refuses, and names the person."""

    def refuse(self):
        raise SMTPException(f"{self.to[0]} is unknown")

    monkeypatch.setattr("organisations.services.mail.EmailMessage.send", refuse)


def test_a_mail_is_sent_once(db, hello, mailoutbox):
    queue_mail(to="zoe@example.org", template="hello", context={"name": "Zoë"})

    send_mail(timestamp=0)
    send_mail(timestamp=5)

    [sent] = mailoutbox
    assert (sent.subject, sent.to) == ("Hello Zoë", ["zoe@example.org"])
    assert sent.body == "Look at https://give.example/me.\n"
    assert sent.from_email == "Almoner <noreply@localhost>"
    assert not Mail.objects.exists()


def test_a_subject_of_long_names_is_cut(db, hello, mailoutbox):
    queue_mail(to="zoe@example.org", template="hello", context={"name": "Zoë" * 100})

    send_mail(timestamp=0)

    assert mailoutbox[0].subject == ("Hello " + "Zoë" * 100)[:255]


def test_what_did_not_happen_is_not_told(db, hello, mailoutbox):
    with transaction.atomic():
        queue_mail(to="zoe@example.org", template="hello", context={"name": "Zoë"})
        transaction.set_rollback(True)

    send_mail(timestamp=0)

    assert mailoutbox == []


@pytest.fixture
def organisation(db):
    """An organisation with two owners, one in finance, one viewer, and an owner who has gone."""
    organisation = OrganisationFactory()
    for name, role in [("o1", "owner"), ("o2", "owner"), ("f", "finance"), ("v", "viewer")]:
        user = UserFactory(email=f"{name}@example.org", name=name)
        MembershipFactory(organisation=organisation, role=role, user=user)
    gone = UserFactory(email="gone@example.org", is_active=False)
    MembershipFactory(organisation=organisation, role="owner", user=gone)
    MembershipFactory(role="owner")
    return organisation


def mailed(organisation, **more):
    """Mail owners and finance; return who got which subject."""
    roles = ["owner", "finance"]
    context = {"name": "there"}
    mail_members(organisation=organisation, roles=roles, template="hello", context=context, **more)
    return list(Mail.objects.order_by("id").values_list("recipient", "subject"))


def test_members_are_mailed_by_role_while_they_may_sign_in(organisation, hello):
    assert mailed(organisation) == [
        (f"{name}@example.org", "Hello there") for name in ("o1", "o2", "f")
    ]


@pytest.mark.parametrize(
    ("rather", "names"),
    [("o2", ["o2"]), ("v", ["o1", "o2", "f"]), ("gone", ["o1", "o2", "f"])],
)
def test_who_it_is_for_hears_alone_while_they_have_the_role(organisation, hello, rather, names):
    user = organisation.memberships.get(user__email=f"{rather}@example.org").user

    told = mailed(organisation, rather=user)

    assert [recipient for recipient, _ in told] == [f"{name}@example.org" for name in names]


def test_owners_who_have_gone_are_told_nothing(organisation):
    tell_owners(organisation, "application_approved")

    assert set(Mail.objects.values_list("recipient", flat=True)) == {
        "o1@example.org",
        "o2@example.org",
    }


def test_a_mail_with_two_lines_in_its_subject_cannot_be_written(db, hello):
    queued = queue_mail(to="zoe@example.org", template="hello", context={"name": "Z\nBcc: x@y.z"})

    assert queued.subject == "Hello Z"


def test_all_that_is_due_goes_out_batch_by_batch(db, mailoutbox):
    MailFactory.create_batch(BATCH_MAX + 1)

    send_mail(timestamp=0)

    assert len(mailoutbox) == BATCH_MAX + 1


def test_a_server_that_refuses_is_asked_again_later_each_time(db, down, caplog):
    waiting = MailFactory()
    waits = []
    for _ in range(3):
        Mail.objects.update(next_attempt_at=timezone.now())
        assert send_due(limit=5) == 1
        waiting.refresh_from_db()
        waits.append(round((waiting.next_attempt_at - timezone.now()) / timedelta(seconds=30)))

    assert send_due(limit=5) == 0
    assert waits == [1, 2, 4]
    assert "zoe" not in str([vars(record) for record in caplog.records])


def test_in_the_end_it_stays_for_staff(db, down, monkeypatch):
    waiting = MailFactory(attempts=ATTEMPTS_MAX - 1)
    send_due(limit=5)
    monkeypatch.undo()
    Mail.objects.update(next_attempt_at=timezone.now())

    assert send_due(limit=5) == 0
    assert Mail.objects.get().id == waiting.id
    assert mail.outbox == []


def test_one_that_is_refused_holds_up_none_of_the_others(db, monkeypatch, mailoutbox):
    MailFactory(recipient="\n@example.org")
    MailFactory()

    send_due(limit=5)

    assert [sent.to for sent in mailoutbox] == [["zoe@example.org"]]
    assert Mail.objects.count() == 1
