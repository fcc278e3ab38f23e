"""The demo's applicant: an invented organisation that waits for staff, with an invented paper."""

from io import BytesIO

from django.core.files.base import File

from donations.services.promises import create_sandbox_account
from organisations.models import Organisation, User
from organisations.services import account_states, applications, connecting, documents

OWNER_NAME, OWNER_EMAIL = "Aoife Brennan", "owner@tideline-choir.example"
IDENTITY = {
    "name": "Tideline Choir",
    "slug": "tideline-choir",
    "summary": "A choir for everybody in Ostend, Belgium",
    "description": "Sixty voices, no auditions. Gifts pay for the hall, the scores and the bus.",
    "country": "BE",
    "currency": "EUR",
    "website": "https://tideline-choir.example",
    "registration": "0471.204.323",
}
SENTENCE = "Invented for the demo: statutes of the Tideline Choir."


def apply(owner: User) -> None:
    """Send in the application as its owner would, unless it is there already."""
    if Organisation.objects.filter(slug=IDENTITY["slug"]).exists():
        return
    name, country, currency = (IDENTITY[field] for field in ("name", "country", "currency"))
    draft = applications.start_application(owner=owner, name=name, country=country)
    draft = applications.save_identity(organisation=draft, **IDENTITY)
    paper = File(BytesIO(_paper()), name="statutes.pdf")
    documents.add_document(
        organisation=draft, file=paper, name="Statutes of the Tideline Choir.pdf", added_by=owner
    )
    account = create_sandbox_account(country=country, currency=currency, name=name)
    draft = connecting.attach_account(organisation=draft, account=account)
    account_states.read_state(organisation=draft)
    applications.submit_application(organisation=draft)


def _paper() -> bytes:
    """Return a PDF of one page with one sentence (ISO 32000-1, 7.5)."""
    text = f"BT /F1 18 Tf 72 720 Td ({SENTENCE}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    count, start = len(objects) + 1, len(file)
    file += f"xref\n0 {count}\n0000000000 65535 f \n{table}"
    file += f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return file.encode("ascii")
