"""The QR code of an entry: where it leads, and whose key it carries."""

import segno

from ledger.log import vkey_of
from tests.factories import ApplicantFactory
from tests.pages.conftest import write


def test_it_leads_to_the_entrys_verification_with_the_logs_key(client, organisation):
    write(organisation, {})

    response = client.get("/o/lantern-house/ledger/1/qr.svg")

    link = (
        "http://localhost:8000/verify?organisation=lantern-house&entry=1"
        f"#{vkey_of(organisation.id)}"
    )
    drawing = segno.make(link, micro=False).svg_inline(border=0, omitsize=True)
    namespace = ' xmlns="http://www.w3.org/2000/svg"'
    assert response.content.decode() == drawing.replace("<svg", f"<svg{namespace}")
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Cache-Control"] == "public, max-age=86400"


def test_what_is_not_there_has_no_code(client, organisation):
    ApplicantFactory(slug="applied")

    for path in ("lantern-house/ledger/1", "nobody/ledger/0", "applied/ledger/0"):
        assert client.get(f"/o/{path}/qr.svg").status_code == 404
