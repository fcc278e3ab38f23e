"""The page as one file, opened from a folder in Chromium: every kind of file, and no request."""

import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import CommandError, call_command

from ledger import offline
from tests.verifier.cases import CASES
from tests.verifier.signed_corpus import NOTE
from tests.verifier.signing import VKEY
from tests.verifier.test_files import (
    EXPORT,
    FORK,
    KEEP,
    RECEIPT,
    SMALL,
    choose,
    drop,
    files_of,
    give_key,
    some_of,
    title,
    words,
)
from tests.verifier.test_panel import verdict_of


class Sources(HTMLParser):
    """Every attribute of the page that names another thing."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        names = ("src", "href", "action", "data", "srcset", "poster", "style")
        self.found += [value for name, value in attributes if name in names]


@pytest.fixture
def opened(chromium, tmp_path):
    """Open the file from a folder, in a browser without a network; `asked` is what it asked for."""
    file = tmp_path / offline.FILENAME
    file.write_bytes(offline.page())
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.faults, page.asked = [], []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    context.on("request", lambda request: page.asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert {url for url in page.asked if not url.startswith("blob:null/")} == {file.as_uri()}
    assert page.faults == []
    context.close()


@pytest.mark.browser
def test_a_receipt_is_verified(opened):
    give_key(opened)
    choose(opened, RECEIPT)

    assert verdict_of(opened) == "VALID"
    assert title(opened) == "VALID: entry 3 was signed"


@pytest.mark.browser
def test_an_export_beside_a_checkpoint_is_verified(opened):
    choose(opened, EXPORT, SMALL)

    assert verdict_of(opened) == "VALID"
    assert "The first 4 entries were signed; 2 came since" in words(opened)


@pytest.mark.browser
def test_a_fork_is_found_and_its_evidence_saved(opened):
    give_key(opened)
    choose(opened, NOTE.encode())
    choose(opened, FORK, field="#other-file")
    assert verdict_of(opened) == "FORK"

    with opened.expect_download() as saving:
        opened.click("a[download]")

    assert saving.value.path().read_bytes() == NOTE.encode() + b"\n" + FORK


@pytest.mark.browser
def test_what_was_good_is_remembered_on_a_disk_too(opened):
    choose(opened, EXPORT, NOTE.encode())
    assert verdict_of(opened) == "VALID"

    choose(opened, EXPORT, SMALL)

    assert verdict_of(opened) == "STALE"


@pytest.mark.browser
def test_a_browser_that_keeps_nothing_for_files_verifies_them(opened):
    opened.add_init_script(
        "Object.defineProperty(window, 'localStorage', "
        "{ get() { throw new DOMException('denied', 'SecurityError'); } })"
    )
    opened.reload()
    choose(opened, EXPORT, NOTE.encode())
    assert verdict_of(opened) == "VALID"

    choose(opened, EXPORT, SMALL)

    assert verdict_of(opened) == "VALID"
    assert "The first 4 entries were signed; 2 came since" in words(opened)


@pytest.mark.browser
def test_every_kind_of_file_gets_the_verdict_of_the_command(opened):
    for case in some_of(CASES):
        opened.evaluate(KEEP, case.remembered)
        opened.fill("#log-key", case.policy or "\n".join(case.keys))
        drop(opened, *files_of(case))
        assert verdict_of(opened) == case.verdict, case.name


@pytest.mark.browser
@pytest.mark.parametrize(
    "attempt",
    [
        "fetch('http://127.0.0.1:9/')",
        "new Promise((_, reject) => { const image = new Image();"
        " image.onerror = reject; image.src = 'http://127.0.0.1:9/'; })",
        "Promise.resolve().then(() => new WebSocket('ws://127.0.0.1:9/'))",
        "import('data:text/javascript,1')",
    ],
)
def test_the_file_forbids_itself_every_request(chromium, tmp_path, attempt):
    file = tmp_path / offline.FILENAME
    file.write_bytes(offline.page())
    page = chromium.new_page()
    page.goto(file.as_uri())
    page.evaluate(
        "document.addEventListener('securitypolicyviolation', (event) => "
        "{ document.title = `forbidden: ${event.effectiveDirective}`; })"
    )

    page.evaluate(f"{attempt}.catch(() => null)")

    page.wait_for_function("document.title.startsWith('forbidden: ')")
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_in_the_file(chromium, tmp_path, scheme, width):
    file = tmp_path / offline.FILENAME
    file.write_bytes(offline.page())
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(file.as_uri())
    give_key(page)
    choose(page, RECEIPT)
    verdict_of(page)

    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_the_file_names_nothing_outside_itself():
    text = offline.page().decode()
    sources = Sources()
    sources.feed(text)

    assert sources.found
    assert all(value.startswith("#") for value in sources.found)
    [styles] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert "url(" not in styles
    assert "@import" not in styles
    assert "default-src 'none'; script-src 'sha256-" in text
    assert "connect-src" not in text
    assert VKEY not in text


def test_the_same_source_makes_the_same_bytes():
    """In another process too, with another seed for its hashes and of another site."""
    code = (
        "import django; django.setup(); from ledger import offline; print(offline.digest(), end='')"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgresql://a@/a",
        "DATABASE_OWNER_URL": "postgresql://b@/b",
        "BASE_URL": "https://elsewhere.example",
        "SECRET_KEY": "another",
        "PYTHONHASHSEED": "7",
    }
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout == offline.digest() == hashlib.sha256(offline.page()).hexdigest()


@pytest.mark.django_db
def test_it_is_a_download_whose_hash_the_page_shows(client):
    response = client.get("/verify/offline")
    shown = client.get("/verify").content.decode()

    assert response["Content-Disposition"] == 'attachment; filename="almoner-verify.html"'
    assert response["Content-Type"] == "text/html; charset=utf-8"
    digest = hashlib.sha256(response.content).hexdigest()
    assert f">{digest}</code>" in shown
    assert 'href="/verify/offline"' in shown
    assert "sha256sum almoner-verify.html" in shown
    again = client.get("/verify/offline", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_the_command_writes_the_file_and_its_hash(tmp_path, capsys):
    file = tmp_path / "almoner-verify.html"

    call_command("offline_page", str(file))

    assert file.read_bytes() == offline.page()
    assert capsys.readouterr().out == f"{offline.digest()}  {file}\n"


def test_the_command_says_where_it_cannot_write(tmp_path):
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("offline_page", str(tmp_path))


def module(tmp_path, text):
    (tmp_path / "one.js").write_text(text)
    return offline.joined(tmp_path, "one.js")


@pytest.mark.parametrize(
    "line",
    [
        'import "./two.js";',
        'import two from "./two.js";',
        "export default 1;",
        'export * from "./two.js";',
        "export let changing = 1;",
        "const url = import.meta.url;",
        'const text = "</script>";',
        'const text = "<!--";',
    ],
)
def test_what_the_joiner_does_not_know_it_refuses(tmp_path, line):
    with pytest.raises(offline.NotJoinable, match=r"one\.js: the joiner does not know"):
        module(tmp_path, f"{line}\n")


def test_a_module_is_joined_once_and_after_what_it_imports(tmp_path):
    (tmp_path / "two.js").write_text(
        'import { three as drei } from "./three.js";\nexport const two = drei;\n'
    )
    (tmp_path / "three.js").write_text("export const three = 3;\n")
    script = module(
        tmp_path,
        'import * as all from "./three.js";\nimport { two } from "./two.js";\nconst one = 1;\n'
        "export { one };\nexport async function zero() {}\n",
    )

    assert re.findall(r'^modules\["(\w+)\.js"\]', script, re.MULTILINE) == ["three", "two", "one"]
    assert 'const { three: drei } = modules["three.js"];' in script
    assert 'const all = modules["three.js"];' in script
    assert "return { zero, one };" in script


def test_licences_of_others_stand_in_the_file():
    text = offline.page().decode()

    assert text.count("Permission is hereby granted") >= 2
    assert "Paul Miller" in text
