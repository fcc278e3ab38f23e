"""The bank accounts of the tests: what a debit from each IBAN comes to."""

from dataclasses import dataclass

from sandbox.errors import StripeError
from sandbox.fingerprints import fingerprint_of

CLEARS = "DE89370400440532013000"


@dataclass(frozen=True)
class BankAccount:
    """
    A bank account. `failure_code` is set when the bank gives nothing.

    A slow one waits for the control call that clears it; after a success it may be disputed.
    """

    iban: str
    does: str
    failure_code: str | None = None
    is_slow: bool = False
    is_disputed: bool = False

    @property
    def last4(self) -> str:
        return self.iban[-4:]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.iban)


_BANK_ACCOUNTS = (
    BankAccount(CLEARS, "clears"),
    BankAccount("DE08370400440532013003", "clears when it is told to", is_slow=True),
    BankAccount("DE62370400440532013001", "fails", "debit_not_authorized"),
    BankAccount(
        "DE78370400440532013004", "fails when it is told to", "debit_not_authorized", is_slow=True
    ),
    BankAccount("DE65370400440002222227", "has insufficient funds", "insufficient_funds"),
    BankAccount("DE35370400440532013002", "clears, then is disputed", is_disputed=True),
)
BANK_ACCOUNTS = {account.iban: account for account in _BANK_ACCOUNTS}


def account_with_iban(iban: str) -> BankAccount:
    """Return the bank account with this IBAN, in whatever groups it was typed."""
    letters = iban.replace(" ", "").upper()
    if letters not in BANK_ACCOUNTS:
        message = "This IBAN is not known. The sandbox takes its test accounts only."
        raise StripeError(400, message, param="iban")
    return BANK_ACCOUNTS[letters]
