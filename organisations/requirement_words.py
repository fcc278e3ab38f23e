"""
What Stripe still wants to know of an organisation, in words.

Keys are Stripe's names of requirements (https://docs.stripe.com/connect/required-verification-information);
those of persons begin with the person's id or role.
"""

import re
from collections.abc import Iterable

ACCOUNT = {
    "business_profile.mcc": "What kind of organisation it is",
    "business_profile.name": "The name donors know it by",
    "business_profile.product_description": "What gifts are used for, in a sentence",
    "business_profile.support_email": "An e-mail address for donors’ questions",
    "business_profile.support_phone": "A phone number for donors’ questions",
    "business_profile.url": "Its website",
    "business_type": "Its legal form",
    "company.address.city": "The city of its seat",
    "company.address.line1": "The street of its seat",
    "company.address.postal_code": "The postal code of its seat",
    "company.address.state": "The state or province of its seat",
    "company.directors_provided": "Confirmation that all directors are named",
    "company.executives_provided": "Confirmation that all executives are named",
    "company.name": "Its legal name",
    "company.owners_provided": "Confirmation that all owners are named, or that there are none",
    "company.phone": "Its phone number",
    "company.registration_number": "Its registration number",
    "company.tax_id": "Its tax number",
    "company.vat_id": "Its VAT number",
    "company.verification.document": "A document that proves it exists",
    "external_account": "The bank account that payouts go to",
    "settings.payments.statement_descriptor": "What stands on donors’ card statements",
    "tos_acceptance.date": "Acceptance of Stripe’s terms",
    "tos_acceptance.ip": "Acceptance of Stripe’s terms",
}
PERSON = {
    "address.city": "city",
    "address.line1": "street",
    "address.postal_code": "postal code",
    "address.state": "state or province",
    "dob.day": "date of birth",
    "dob.month": "date of birth",
    "dob.year": "date of birth",
    "email": "e-mail address",
    "first_name": "first name",
    "id_number": "identity number",
    "last_name": "last name",
    "nationality": "nationality",
    "phone": "phone number",
    "relationship.executive": "role: whether they are an executive",
    "relationship.title": "job title",
    "ssn_last_4": "social security number, its last four digits",
    "verification.additional_document": "proof of address",
    "verification.document": "identity document",
}
ROLES = {
    "directors": "A director",
    "executives": "An executive",
    "individual": "The person",
    "owners": "An owner",
    "representative": "The representative",
}
PERSON_KEY = re.compile(
    r"(?P<who>person_\w+|directors|executives|individual|owners|representative)\.(?P<what>.+)",
    re.ASCII,
)
DISABLED = {
    "action_required.requested_capabilities": "Stripe waits for payments to be requested.",
    "listed": "Stripe compares the account with a list of sanctions.",
    "platform_paused": "This site has paused the account.",
    "requirements.past_due": "Stripe waits for information that is overdue.",
    "requirements.pending_verification": "Stripe is checking what was sent in.",
    "under_review": "Stripe is reviewing the account.",
}


def in_words(keys: Iterable[str]) -> list[str]:
    """Return each requirement as words, once, in Stripe's order; unknown ones stay readable."""
    return list(dict.fromkeys(map(_words, keys)))


def why_disabled(reason: str) -> str:
    """Return why Stripe has stopped an account, as a sentence; empty where it has not."""
    if reason.startswith("rejected."):
        return "Stripe has rejected the account: ask Stripe’s support."
    return DISABLED.get(reason, f"Stripe has stopped it: {_readable(reason)}." if reason else "")


def _words(key: str) -> str:
    match = PERSON_KEY.match(key)
    if key in ACCOUNT or not match:
        return ACCOUNT.get(key) or _readable(key)
    who = ROLES.get(match["who"], "A person named to Stripe")
    return f"{who}: {PERSON.get(match['what'], _readable(match['what']).lower())}"


def _readable(key: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", " ", key).strip()
    return words[:1].upper() + words[1:100]
