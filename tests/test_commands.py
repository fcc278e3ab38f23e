"""What the commands of the ledger take: said by their help, and asked for when it is missing."""

import pytest
from django.core.management import CommandError, call_command

OPTIONS = {
    "audit_ledger": {
        "--organisation": "an organisation's id or slug",
        "--book": "the name of a book, such as public",
        "--json": "print one JSON object a book",
    },
    "correct_entry": {
        "--organisation": "the organisation's slug",
        "--book": "the name of a book; public if left out",
        "--sequence": "",
        "--reason": "published with the entry, for ever: nothing about anybody",
    },
    "export_log": {
        "--organisation": "the organisation's slug; all logs if left out",
        "target": "a folder, or s3://bucket/prefix; files go to <target>/log/…",
    },
    "load_sanctions": {
        "--list": "{OFAC,EU,UN,UK}",
        "--force": "also an older list, or one of less than half as many parties",
        "file": "as the publisher has it",
    },
    "offline_page": {"file": "such as almoner-verify.html"},
    "rotate_key": {
        "--organisation": "the organisation's slug",
        "--lost": "the old key cannot be opened any more, so it vouches for nothing",
    },
    "restore_heads": {"folder": "what export_log was given"},
    "restore_entries": {
        "--organisation": "the organisation's slug",
        "--book": "the name of a book; public if left out",
        "export": "a file with one line for each entry",
    },
    "witness": {
        "folder": "what it has seen, and its key",
        "--name": "such as witness.example.org",
        "--log": "may be repeated",
        "--logs": "a policy whose logs it knows too, read again when it changes",
        "--port": "",
    },
    "sweep_stripe": {
        "--organisation": "A slug or an id; left out, all of them.",
        "--since": "Sweep from this day on: 2026-01-31.",
        "--opening-on": "Before anything is booked: begin the book on this day,",
    },
    "smoke_stripe": {
        "--organisation": "A slug or an id.",
        "--wait": "Seconds that a step may take.",
    },
    "trust_checkpoint": {
        "--organisation": "the organisation's slug",
        "--book": "the name of a book; public if left out",
    },
    "create_staff": {
        "--email": "",
        "--group": "{auditor,lead,operator,reviewer}",
        "--superuser": "May do everything.",
    },
    "issue_api_key": {
        "--organisation": "A slug or an id.",
        "--application": "Gifts and refunds: donations.",
        "--scope": "{donations,refunds,ledger,webhooks}",
    },
}
REQUIRED = {
    "correct_entry": {"--organisation": "lantern", "--sequence": "1", "--reason": "Twice."},
    "issue_api_key": {"--organisation": "lantern", "--application": "credits", "--scope": "ledger"},
    "load_sanctions": {"--list": "OFAC", "file": "sdn.xml"},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_command_says_what_it_takes(name, capsys):
    with pytest.raises(SystemExit):
        call_command(name, "--help")

    told = " ".join(["", *capsys.readouterr().out.partition(":\n")[2].split()])
    for option, words in OPTIONS[name].items():
        assert f" {option} " in told
        assert not words or f" {words} " in told, words


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in REQUIRED for option in REQUIRED[name]]
)
def test_a_command_asks_for_what_it_needs(name, option):
    given = {key: value for key, value in REQUIRED[name].items() if key != option}

    with pytest.raises(CommandError, match=f"required: {option}$"):
        call_command(name, *[word for pair in given.items() for word in pair])


@pytest.mark.parametrize(
    ("name", "option", "remedy"),
    [
        ("correct_entry", "--sequence", "invalid int value: 'x'"),
        ("issue_api_key", "--scope", r"invalid choice: 'x' \(choose from"),
        ("load_sanctions", "--list", r"invalid choice: 'x' \(choose from"),
    ],
)
def test_a_command_refuses_what_it_cannot_use(name, option, remedy):
    given = REQUIRED[name] | {option: "x"}

    with pytest.raises(CommandError, match=f"argument {option}: {remedy}"):
        call_command(name, *[word for pair in given.items() for word in pair])
