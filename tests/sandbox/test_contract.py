"""What Stripe would refuse, the sandbox refuses: routes, parameters, keys, accounts."""

import pytest
import requests
import stripe

from sandbox import form, parameters
from sandbox.contract import Contract, Route
from sandbox.errors import StripeError


def error_of(response: requests.Response, status: int) -> dict[str, str]:
    assert response.status_code == status, response.text
    assert response.headers["Request-Id"].startswith("req_")
    return response.json()["error"]


def test_the_contract_has_the_routes_of_the_installed_package():
    contract = Contract()

    assert len(contract) > 400
    route, values = contract.find("get", "/v1/checkout/sessions/cs_1")
    assert (route.path, values) == ("/v1/checkout/sessions/{session}", {"session": "cs_1"})
    assert contract.find("get", "/v1/invoices/upcoming/x/y") is None


def test_a_call_the_sdk_knows_and_nobody_plays_is_a_501(sandbox):
    error = error_of(sandbox.ask("POST", "/v1/customers", data={"name": "Zoë"}), 501)

    assert error["type"] == "api_error"
    assert "POST /v1/customers" in error["message"]


def test_a_parameter_of_a_played_call_that_nobody_plays_is_a_501(sandbox, account):
    error = error_of(
        sandbox.ask("POST", "/v1/refunds", account, data={"instructions_email": "a@example.org"}),
        501,
    )

    assert "instructions_email" in error["message"]


@pytest.mark.parametrize(("verb", "path"), [("POST", "/v1/nonsense"), ("DELETE", "/v1/refunds")])
def test_an_unknown_route_is_a_404(sandbox, verb, path):
    error = error_of(sandbox.ask(verb, path), 404)

    assert error["type"] == "invalid_request_error"
    assert error["message"] == f"Unrecognized request URL ({verb}: {path})."


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("payment_intents", "amount=1000&currency=eur&color=red", "parameter_unknown", "color"),
        ("payment_intents", "amount=1000", "parameter_missing", "currency"),
        ("payment_intents", "amount=10.5&currency=eur", "parameter_invalid_integer", "amount"),
        ("payment_intents", "amount[a]=1&currency=eur", "parameter_invalid_integer", "amount"),
        ("payment_intents", "amount=1000&currency=", "parameter_invalid_empty", "currency"),
        ("payment_intents", "amount=1&currency[a]=e", "parameter_invalid_string", "currency"),
        (
            "payment_intents",
            "amount=1000&currency=eur&confirm=yes",
            "parameter_invalid_boolean",
            "confirm",
        ),
        (
            "payment_intents",
            "amount=1000&currency=eur&capture_method=never",
            "parameter_invalid_enum",
            "capture_method",
        ),
        (
            "payment_intents",
            "amount=1000&currency=eur&metadata=x",
            "parameter_invalid_object",
            "metadata",
        ),
        (
            "payment_intents",
            "amount=1000&currency=eur&automatic_payment_methods=x",
            "parameter_invalid_object",
            "automatic_payment_methods",
        ),
        (
            "payment_intents",
            "amount=1000&currency=eur&expand=x",
            "parameter_invalid_array",
            "expand",
        ),
        (
            "payment_intents",
            "amount=1000&currency=eur&automatic_payment_methods[color]=red",
            "parameter_unknown",
            "automatic_payment_methods[color]",
        ),
        ("refunds", "reason=", "parameter_invalid_empty", "reason"),
        ("payment_intents", "amount=1000&currency=xxx", "currency_not_supported", "currency"),
        ("payment_intents", "amount=49&currency=eur", "amount_too_small", "amount"),
        ("payment_intents", "amount=100000000&currency=eur", "amount_too_large", "amount"),
        (
            "payment_intents",
            "amount=1000&currency=eur&application_fee_amount=1",
            "application_fees_not_allowed",
            "application_fee_amount",
        ),
        (
            "checkout/sessions",
            "mode=payment&line_items[0][price_data][unit_amount]=5",
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
        ("checkout/sessions", "success_url=http://x", "parameter_missing", "mode"),
        (
            "checkout/sessions",
            "mode=payment&success_url=u&line_items[0][price_data][currency]=eur",
            "parameter_missing",
            "line_items[0][quantity]",
        ),
        ("payouts", "amount=100&currency=eur", "balance_insufficient", "amount"),
        ("refunds", "amount=5", "parameter_missing", "charge"),
        ("refunds", "charge=ch_1&a[b]=1&a=2", None, "a"),
        ("refunds", "a=2&a[b]=1", None, "a[b]"),
        ("refunds", "a[[b=1", "parameter_unknown", "a[[b"),
        ("refunds", "a" + "[b]" * 20 + "=1", None, "a"),
        ("refunds", "a=%FF", None, None),
        ("refunds", "é=1".encode(), None, None),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(*, sandbox, account, path, body, code, param):
    error = error_of(sandbox.ask("POST", f"/v1/{path}", account, data=body), 400)

    assert (error.get("code"), error.get("param")) == (code, param)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"mode": "setup"}, "mode=setup"),
        ({"ui_mode": "elements"}, "ui_mode=elements"),
        ({"payment_intent_data": {"setup_future_usage": "off_session"}}, "setup_future_usage"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items[0][price]"),
        (
            {
                "line_items": [
                    {"quantity": 1, "price_data": {"currency": "eur", "unit_amount_decimal": "1.5"}}
                ]
            },
            "line_items[0][price_data][unit_amount_decimal]",
        ),
    ],
)
def test_a_checkout_session_that_nobody_plays_is_a_501(sandbox, account, fields, what):
    with pytest.raises(stripe.APIError, match="does not simulate") as refusal:
        sandbox.session(account, **fields)

    assert what in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (
            {"payment_intent_data": {"application_fee_amount": 5}},
            "payment_intent_data[application_fee_amount]",
        ),
        ({"expires_at": 1}, "expires_at"),
        (
            {
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": currency,
                            "unit_amount": 100,
                            "product_data": {"name": "Gift"},
                        },
                    }
                    for currency in ("eur", "jpy")
                ]
            },
            "line_items",
        ),
    ],
)
def test_a_checkout_session_that_makes_no_sense_is_a_400(sandbox, account, fields, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.session(account, **fields)

    assert refusal.value.param == param


def checked(text: str, path: str, verb: str = "post"):
    route, _ = Contract().find(verb, path)
    return parameters.check(route, form.decode(text))


def test_parameters_get_the_types_of_the_package():
    typed = checked(
        "amount=12&currency=eur&confirm=true&metadata[a]=&metadata[b]=1&expand[]=x&expand[]=y"
        "&off_session=one_off",
        "/v1/payment_intents",
    )

    assert typed == {
        "amount": 12,
        "currency": "eur",
        "confirm": True,
        "metadata": {"a": "", "b": "1"},
        "expand": ["x", "y"],
        "off_session": "one_off",
    }
    assert checked("metadata=", "/v1/payment_intents/pi_1") == {"metadata": ""}
    assert checked("created[gte]=5&limit=3", "/v1/charges", "get") == {
        "created": {"gte": 5},
        "limit": 3,
    }
    assert checked("created=5", "/v1/charges", "get") == {"created": 5}


def test_decimal_parameters_are_checked():
    rate = "display_name=VAT&inclusive=true&percentage="

    assert checked(rate + "19.5", "/v1/tax_rates")["percentage"] == 19.5
    with pytest.raises(StripeError, match="Invalid decimal"):
        checked(rate + "1e5", "/v1/tax_rates")


def test_a_file_may_be_anything():
    assert checked("file=x&purpose=dispute_evidence", "/v1/files")["file"] == "x"


def test_every_route_of_the_package_has_parameters_that_can_be_read():
    contract = Contract()
    refusals = set()
    for routes in contract._routes.values():
        for route in routes:
            with pytest.raises(StripeError) as refusal:
                parameters.check(route, {"no_such_parameter": "1"})
            refusals.add(refusal.value.code)

    assert refusals == {"parameter_unknown"}


def test_a_route_matches_whole_words_only():
    route = Route("get", "/v1/charges/{charge}", "", "")

    assert route.match(["", "v1", "charges", ""]) is None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": ""}, None),
        ({"Authorization": "Bearer"}, None),
        ({"Authorization": "Bearer sk_test_wrong"}, "api_key_invalid"),
        ({"Authorization": "Basic c2tfdGVzdF93cm9uZzo="}, "api_key_invalid"),
    ],
)
def test_a_wrong_or_missing_key_is_a_401(sandbox, headers, code):
    for path in ("/v1/balance", "/_control/delivery"):
        response = sandbox.ask("GET", path, headers=headers)

        assert response.status_code == 401
        assert response.json()["error"].get("code") == code


def test_the_key_may_be_the_user_name_of_basic_authentication(sandbox):
    response = requests.get(f"{sandbox.url}/v1/balance", auth=("sk_test_sandbox", ""), timeout=10)

    assert response.status_code == 200


def test_an_account_that_is_not_ours_is_a_403(sandbox):
    with pytest.raises(stripe.PermissionError) as refusal:
        sandbox.v1.balance.retrieve(None, {"stripe_account": "acct_unknown"})
    with pytest.raises(stripe.PermissionError):
        sandbox.v1.accounts.retrieve("acct_unknown")

    assert refusal.value.error.code == "account_invalid"


def test_an_object_of_another_account_does_not_exist(sandbox, account):
    charge = sandbox.gift(sandbox.account())

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.v1.charges.retrieve(charge.id, None, {"stripe_account": account})

    assert (refusal.value.code, refusal.value.http_status) == ("resource_missing", 404)


def test_the_version_header_is_accepted(sandbox):
    response = sandbox.ask("GET", "/v1/balance", headers={"Stripe-Version": "2020-08-27"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b"x" * (1 << 20) + b"x"), ({"Transfer-Encoding": "chunked"}, iter([b"x"]))],
)
def test_a_body_that_is_too_large_or_has_no_length_is_a_413(sandbox, headers, body):
    url = f"{sandbox.url}/v1/refunds"

    response = requests.post(url, data=body, headers=headers, timeout=10)

    assert response.status_code == 413
    response.close()
