"""Whatever happens: the balance is the sum of the nets, and no cent is lost."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

AMOUNTS = st.integers(50, 20_000)
CURRENCIES = st.sampled_from(["eur", "jpy", "usd", "kwd"])
METHODS = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_createDispute",
        "pm_card_createDisputeInquiry",
        "pm_card_createIssuerFraudRecord",
        "pm_card_refundFail",
        "pm_card_bypassPending",
    ]
)
IBANS = st.sampled_from(
    [f"DE{number}" for number in ("89370400440532013000", "62370400440532013001")]
    + [f"DE{number}" for number in ("08370400440532013003", "35370400440532013002")]
)
CARDS = st.sampled_from(["4242424242424242", "4000000000000341", "4000002760003184"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("gift"), AMOUNTS, CURRENCIES, METHODS),
        st.tuples(st.just("authorise"), AMOUNTS, CURRENCIES),
        st.tuples(st.just("finish"), st.sampled_from(["capture", "cancel"])),
        st.tuples(st.just("lapse")),
        st.tuples(st.just("refund"), st.integers(1, 20_000)),
        st.tuples(st.just("fail_refund")),
        st.tuples(st.just("debit"), IBANS),
        st.tuples(st.just("clear")),
        st.tuples(st.just("subscribe"), CARDS),
        st.tuples(st.just("renew")),
        st.tuples(st.just("retry")),
        st.tuples(st.sampled_from(["dispute", "inquire", "escalate"])),
        st.tuples(st.just("close"), st.sampled_from(["won", "lost", "warning_closed"])),
        st.tuples(st.just("payout")),
        st.tuples(st.just("send"), AMOUNTS),
        st.tuples(st.just("end_payout"), st.sampled_from(["pay", "fail"])),
        st.tuples(st.just("odd"), st.integers(-5000, 5000)),
    ),
    max_size=14,
)


class Story:
    """Plays random steps on one account; a step that makes no sense is refused and changes none."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.account = sandbox.account()

    def ask(self, path, **body):
        return self.sandbox.ask("POST", f"/v1/{path}", self.account, data=body)

    def act(self, path, **body):
        return self.sandbox.ask("POST", f"/_control/{path}", json=body)

    def newest(self, path):
        rows = self.sandbox.ask("GET", f"/v1/{path}?limit=1", self.account).json()["data"]
        return rows[0]["id"] if rows else "none"

    def gift(self, amount, currency, method):
        self.ask(
            "payment_intents",
            amount=amount,
            currency=currency,
            payment_method=method,
            confirm="true",
        )

    def authorise(self, amount, currency):
        session = self.sandbox.session(
            self.account, amount, currency, payment_intent_data={"capture_method": "manual"}
        )
        self.act(f"checkout/{session.id}/pay", card_number="4242424242424242")

    def finish(self, how):
        self.ask(f"payment_intents/{self.newest('payment_intents')}/{how}")

    def lapse(self):
        self.act(f"payment_intents/{self.newest('payment_intents')}/lapse")

    def refund(self, amount):
        self.ask("refunds", charge=self.newest("charges"), amount=amount)

    def fail_refund(self):
        self.act(f"refunds/{self.newest('refunds')}/fail")

    def debit(self, iban):
        session = self.sandbox.session(self.account)
        self.act(f"checkout/{session.id}/pay", iban=iban)

    def clear(self):
        self.act(f"payment_intents/{self.newest('payment_intents')}/clear")

    def subscribe(self, card):
        path = f"subscriptions/{self.sandbox.subscription(self.account).id}"
        self.act(f"{path}/card", card_number=card)

    def renew(self):
        self.act(f"subscriptions/{self.newest('subscriptions')}/renew")

    def retry(self):
        self.act(f"invoices/{self.newest('invoices')}/retry")

    def inquire(self):
        self.act(f"charges/{self.newest('charges')}/inquire")

    def escalate(self):
        self.act(f"disputes/{self.newest('disputes')}/escalate")

    def dispute(self):
        self.act(f"charges/{self.newest('charges')}/dispute")

    def close(self, outcome):
        self.act(f"disputes/{self.newest('disputes')}/close", outcome=outcome)

    def payout(self):
        self.act("payouts", account=self.account)

    def send(self, amount):
        """Send a payout as the platform; it leaves no less than nothing behind."""
        if self.ask("payouts", amount=amount, currency="eur").ok:
            balance = self.sandbox.ask("GET", "/v1/balance", self.account).json()
            assert balance["available"][0]["amount"] >= 0

    def end_payout(self, how):
        self.act(f"payouts/{self.newest('payouts')}/{how}")

    def odd(self, amount):
        self.act(
            "balance_transactions",
            account=self.account,
            type="adjustment",
            reporting_category="other_adjustment",
            amount=amount,
            currency="eur",
        )


@given(STEPS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_the_balance_is_the_sum_of_the_nets(sandbox, steps):
    story = Story(sandbox)

    for name, *values in steps:
        getattr(story, name)(*values)

    sandbox.flush()
    movements = sandbox.movements(story.account)
    assert sandbox.balance(story.account) == {"eur": sum(row.net for row in movements)}
    for row in movements:
        assert row.net == row.amount - row.fee
        assert row.fee == sum(detail.amount for detail in row.fee_details)
    for charge in sandbox.v1.charges.list(
        {"limit": 100}, {"stripe_account": story.account}
    ).auto_paging_iter():
        assert 0 <= charge.amount_refunded <= (charge.amount_captured or charge.amount)
        assert charge.captured or charge.balance_transaction is None
    for invoice in sandbox.v1.invoices.list(None, {"stripe_account": story.account}).data:
        assert invoice.amount_paid + invoice.amount_remaining == invoice.amount_due
        assert (invoice.status == "paid") == (invoice.amount_remaining == 0)
    for payout in sandbox.v1.payouts.list(None, {"stripe_account": story.account}).data:
        if payout.automatic:
            inside = sandbox.movements(story.account, payout=payout.id)
            assert sum(row.net for row in inside) == 0
