"""Lists: pages, cursors, filters, expansion."""

import pytest
import stripe


@pytest.fixture(scope="module")
def filled(sandbox):
    """An account with twelve external charges, a day apart, oldest first."""
    account = sandbox.account()
    for day in range(12):
        sandbox.control("clock", account=account, now=1_700_000_000 + day * 86_400)
        sandbox.control(
            "charges",
            account=account,
            amount=1000 + day,
            currency="eur" if day % 2 else "jpy",
            metadata={"day": str(day)},
        )
    sandbox.control("clock", account=account, now=None)
    sandbox.flush()
    return account


def amounts(sandbox, account, **filters):
    page = sandbox.v1.charges.list(filters, {"stripe_account": account})
    return [charge.amount - 1000 for charge in page.data], page.has_more


def test_a_page_has_ten_of_the_newest_and_says_that_there_are_more(sandbox, filled):
    assert amounts(sandbox, filled) == ([11, 10, 9, 8, 7, 6, 5, 4, 3, 2], True)
    assert amounts(sandbox, filled, limit=12) == ([*range(11, -1, -1)], False)


def test_cursors_go_both_ways(sandbox, filled):
    charges = sandbox.v1.charges.list({"limit": 100}, {"stripe_account": filled}).data

    after = charges[3].id
    assert amounts(sandbox, filled, limit=2, starting_after=after) == ([7, 6], True)
    assert amounts(sandbox, filled, limit=2, ending_before=after) == ([10, 9], True)
    assert amounts(sandbox, filled, ending_before=after) == ([11, 10, 9], False)


def test_auto_paging_sees_everything_once(sandbox, filled):
    page = sandbox.v1.charges.list({"limit": 5}, {"stripe_account": filled})

    assert [charge.amount for charge in page.auto_paging_iter()] == [*range(1011, 999, -1)]


def test_dates_filter(sandbox, filled):
    third = 1_700_000_000 + 3 * 86_400

    assert amounts(sandbox, filled, created=third) == ([3], False)
    assert amounts(sandbox, filled, created={"gt": third, "lte": third + 2 * 86_400}) == (
        [5, 4],
        False,
    )
    assert amounts(sandbox, filled, created={"gte": third, "lt": third + 86_400}) == ([3], False)


def test_fields_filter(sandbox, filled):
    options = {"stripe_account": filled}
    gift = sandbox.gift(filled)
    found = sandbox.v1.charges.list({"payment_intent": gift.payment_intent}, options)
    movements = sandbox.v1.balance_transactions.list(
        {"source": gift.id, "type": "charge", "currency": "eur"}, options
    )
    assert [charge.id for charge in found.data] == [gift.id]
    assert [movement.source for movement in movements.data] == [gift.id]


@pytest.fixture(scope="module")
def told(sandbox):
    """An account with a gift of 31 days ago, and one of now that is disputed."""
    account = sandbox.account()
    sandbox.control("clock", account=account, now=1_700_000_000)
    sandbox.gift(account)
    sandbox.control("clock", account=account, now=1_700_000_000 + 31 * 86_400)
    sandbox.gift(account, payment_method="pm_card_createDispute")
    return account


def types(sandbox, account, **filters):
    """Return the types of the listed events, oldest first."""
    events = sandbox.v1.events.list({"limit": 100, **filters}, {"stripe_account": account})
    return [event.type for event in events.data][::-1]


def test_events_are_listed_for_thirty_days_newest_first(sandbox, told):
    every = types(sandbox, told)

    assert every == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    sandbox.control("clock", account=told, now=1_700_000_000 + 30 * 86_400)
    assert len(types(sandbox, told)) == 10
    sandbox.control("clock", account=told, now=1_700_000_000 + 31 * 86_400)


def test_events_are_filtered_by_type_and_group(sandbox, told):
    assert types(sandbox, told, type="charge.updated") == ["charge.updated"]
    assert types(sandbox, told, type="charge.dispute.*") == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    wanted = ["charge.updated", "payment_intent.created"]
    assert types(sandbox, told, types=wanted) == wanted[::-1]
    assert types(sandbox, told, created={"lt": 1_700_000_000 + 86_400}) == []


def test_events_are_paged_by_cursor(sandbox, told):
    options = {"stripe_account": told}
    first = sandbox.v1.events.list({"limit": 2}, options)
    rest = sandbox.v1.events.list({"starting_after": first.data[1].id}, options)
    newer = sandbox.v1.events.list({"ending_before": rest.data[0].id}, options)

    assert (first.has_more, rest.has_more) == (True, False)
    assert len(rest.data) == 4
    assert [event.id for event in newer.data] == [event.id for event in first.data]


@pytest.mark.parametrize(
    "filters",
    [{"type": "a", "types": ["b"]}, {"types": [f"charge.{number}" for number in range(21)]}],
)
def test_events_have_one_filter_of_types_and_no_long_one(sandbox, told, filters):
    with pytest.raises(stripe.InvalidRequestError):
        types(sandbox, told, **filters)


@pytest.mark.parametrize(
    ("filters", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "ch_x"}, "resource_missing", "starting_after"),
        ({"starting_after": "a", "ending_before": "b"}, "parameters_exclusive", "ending_before"),
        ({"expand": ["data.colour"]}, "property_cannot_be_expanded", "expand"),
        ({"expand": ["data.a.b.c.d"]}, None, "expand"),
    ],
)
def test_a_page_that_cannot_be_is_a_400(sandbox, filled, filters, code, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        amounts(sandbox, filled, **filters)

    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_accounts_are_listed_without_the_platform(sandbox, filled):
    page = sandbox.v1.accounts.list({"limit": 100})

    own = sandbox.ask("GET", "/v1/account").json()["id"]
    identifiers = [account.id for account in page.data]
    assert filled in identifiers
    assert own not in identifiers
    following = sandbox.v1.accounts.list({"starting_after": identifiers[0], "limit": 10})
    assert [account.id for account in following.data] == identifiers[1:11]


def test_expansion_goes_through_the_source_of_a_movement(sandbox, account):
    options = {"stripe_account": account}
    charge = sandbox.gift(account)
    sandbox.v1.refunds.create({"charge": charge.id}, options)

    expand = ["data.source.charge", "data.source.payment_intent.latest_charge"]
    page = sandbox.v1.balance_transactions.list({"expand": expand}, options)

    refund, gift = (movement.source for movement in page.data)
    assert refund.charge.id == gift.id == charge.id
    assert gift.payment_intent.latest_charge.id == charge.id


def test_retrieved_objects_expand_too(sandbox, account):
    charge = sandbox.gift(account)

    found = sandbox.v1.charges.retrieve(
        charge.id,
        {"expand": ["balance_transaction", "refunds", "review", "customer"]},
        {"stripe_account": account},
    )

    assert found.balance_transaction.status == "pending"
    assert found.refunds.data == []
    assert found.review is None
