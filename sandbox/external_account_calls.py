"""The calls of external accounts: list and read what an account is paid out to."""

from sandbox import accounts
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import missing
from sandbox.lists import as_list, limit_of


def _banks(call: Call) -> list[Resource]:
    account = accounts.load(call.scope, call.values["account"])
    banks: list[Resource] = account["external_accounts"]["data"]
    return banks


@answers("get", "/v1/accounts/{account}/external_accounts", "limit object")
def list_banks(call: Call) -> Resource:
    """List the bank account: there is one at most, so a page has room for all."""
    limit_of(call)
    kind = call.get("object", "bank_account")
    return as_list([bank for bank in _banks(call) if bank["object"] == kind], call.url)


@answers("get", "/v1/accounts/{account}/external_accounts/{id}")
def retrieve(call: Call) -> Resource:
    for bank in _banks(call):
        if bank["id"] == call.values["id"]:
            return bank
    raise missing("external account", call.values["id"])
