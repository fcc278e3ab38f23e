"""What a person can press on the sandbox's page: a control call each, and what it did."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Press:
    """A button: its label, the control URL and body behind it, and the sentence that follows."""

    label: str
    path: str
    said: str
    body: dict[str, Any] = field(default_factory=dict)

    def call(self, of: str) -> tuple[str, dict[str, Any]]:
        """Return the control URL and the body for the object that the button stands beside."""
        body = {name: of if value == "{of}" else value for name, value in self.body.items()}
        return self.path.replace("{of}", of), body


PRESSES = {
    "dispute": Press(
        "Dispute this",
        "charges/{of}/dispute",
        "The gift is disputed: its amount and a fee have left the balance.",
    ),
    "inquire": Press(
        "Inquire",
        "charges/{of}/inquire",
        "The bank inquires about the gift. No money has moved.",
    ),
    "escalate": Press(
        "Becomes a dispute",
        "disputes/{of}/escalate",
        "The inquiry became a dispute: the amount and a fee have left the balance.",
    ),
    "drop_inquiry": Press(
        "Bank drops it",
        "disputes/{of}/close",
        "The inquiry is closed. No money has moved.",
        {"outcome": "warning_closed"},
    ),
    "win": Press(
        "Dispute is won",
        "disputes/{of}/close",
        "The dispute is won: the amount came back, the fee did not.",
        {"outcome": "won"},
    ),
    "lose": Press(
        "Dispute is lost",
        "disputes/{of}/close",
        "The dispute is lost: the money stays away.",
        {"outcome": "lost"},
    ),
    "fail_refund": Press(
        "Refund fails",
        "refunds/{of}/fail",
        "The refund failed: its amount is back in the balance.",
    ),
    "clear": Press(
        "Bank answers",
        "payment_intents/{of}/clear",
        "The bank has answered: the debit is paid or refused, as its IBAN says.",
    ),
    "lapse": Press(
        "Let it lapse",
        "payment_intents/{of}/lapse",
        "Nobody captured the gift in time: the bank released the money, and none has moved.",
    ),
    "renew": Press(
        "Renew now",
        "subscriptions/{of}/renew",
        "The period is over: what is due for the next one was asked for.",
    ),
    "retry": Press(
        "Try again",
        "invoices/{of}/retry",
        "The card on file was tried once more.",
    ),
    "payout": Press(
        "Send a payout",
        "payouts",
        "Everything that was available is on its way to the bank.",
        {"account": "{of}"},
    ),
    "swap_bank": Press(
        "Change its bank account",
        "accounts/{of}/bank",
        "Payouts go to another bank account from now on: the same one wherever this is pressed.",
        {"iban": "DE75512108001245126199"},
    ),
    "arrive": Press(
        "Payout arrives",
        "payouts/{of}/pay",
        "The payout has arrived at the bank.",
    ),
    "fail_payout": Press(
        "Fail this payout",
        "payouts/{of}/fail",
        "The bank sent the payout back: its amount is in the balance again.",
    ),
    "deliver": Press(
        "Deliver twice",
        "events/{of}/deliver",
        "The event is sent once more, with the same id.",
    ),
    "normal": Press(
        "Deliver as usual",
        "delivery",
        "Events are delivered in order and at once; what was held is on its way.",
        {"mode": "normal"},
    ),
    "hold": Press(
        "Hold",
        "delivery",
        "Events are held back until delivery is as usual again.",
        {"mode": "hold"},
    ),
    "drop": Press(
        "Drop",
        "delivery",
        "Events are lost on the way, those that were waiting too; the API still lists them.",
        {"mode": "drop"},
    ),
    "shuffle": Press(
        "Shuffle",
        "delivery",
        "Events are delivered in any order, within five seconds.",
        {"mode": "shuffle", "seconds": 5},
    ),
    "down": Press(
        "Go down for 30 s",
        "outage",
        "The API answers 500 for the next 30 seconds.",
        {"seconds": 30},
    ),
}
NETWORK = ("normal", "hold", "drop", "shuffle", "down")
