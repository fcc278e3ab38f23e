"""The first application of credits: what may happen to an owner's credits."""

from ledger.operations import Application, BaseLedgerOperation


class CreditOperation(BaseLedgerOperation):
    """The operations that all applications share, and two for content."""

    DAILY_REWARD = "DAILY_REWARD"
    SIGNUP_CREDIT = "SIGNUP_CREDIT"
    CREDIT_SPEND = "CREDIT_SPEND"
    CREDIT_ADD = "CREDIT_ADD"
    CONTENT_CREATION = "CONTENT_CREATION"
    CONTENT_ACCESS = "CONTENT_ACCESS"


CREDITS = Application(
    book="credits",
    operations=CreditOperation,
    amounts={
        CreditOperation.DAILY_REWARD: 1,
        CreditOperation.SIGNUP_CREDIT: 3,
        CreditOperation.CREDIT_SPEND: -1,
        CreditOperation.CREDIT_ADD: 10,
        CreditOperation.CONTENT_CREATION: -5,
        CreditOperation.CONTENT_ACCESS: 0,
    },
)
