"""The application of the public book: what may happen to an organisation's money."""

from ledger.models import PUBLIC
from ledger.operations import NOTE, Application, Flow, MoneyOperation

STRIPE, IN_TRANSIT, HELD, EXTERNAL = ("stripe",), ("in_transit",), ("held",), ("external",)
FUNDS, UNCLASSIFIED = ("fund:*",), ("unclassified",)
PURPOSES = (*FUNDS, *HELD, *EXTERNAL, *UNCLASSIFIED)
STORES = ("bank:*", "reserve:*", "onchain:*")

GIFT = Flow(STRIPE, FUNDS)
FROM_PURPOSE = Flow(PURPOSES, STRIPE)


def both_ways(flow: Flow) -> tuple[Flow, Flow]:
    """Return a flow and its reverse: Stripe also gives fees back."""
    return flow, flow.reverse


MONEY = Application(
    book=PUBLIC,
    operations=MoneyOperation,
    flows={
        MoneyOperation.DONATION_RECEIVED: (GIFT,),
        MoneyOperation.PROCESSING_FEE: both_ways(FROM_PURPOSE),
        MoneyOperation.DONATION_REFUNDED: (FROM_PURPOSE,),
        MoneyOperation.REFUND_FAILED: (FROM_PURPOSE.reverse,),
        MoneyOperation.DISPUTE_OPENED: (FROM_PURPOSE,),
        MoneyOperation.DISPUTE_FEE: both_ways(FROM_PURPOSE),
        MoneyOperation.DISPUTE_WON: (FROM_PURPOSE.reverse,),
        MoneyOperation.DONATION_HELD: (Flow(FUNDS, HELD),),
        MoneyOperation.HOLD_RELEASED: (Flow(HELD, FUNDS),),
        MoneyOperation.PAYOUT_SENT: (Flow(IN_TRANSIT, STRIPE),),
        MoneyOperation.PAYOUT_ARRIVED: (Flow(("bank:*",), IN_TRANSIT),),
        MoneyOperation.PAYOUT_RETURNED: (Flow(STRIPE, (*IN_TRANSIT, "bank:*")),),
        MoneyOperation.PROVIDER_FEE: both_ways(Flow(FUNDS, (*STRIPE, *STORES))),
        MoneyOperation.OFFLINE_DONATION: (Flow(STORES, FUNDS),),
        MoneyOperation.SPENT: (Flow(FUNDS, STORES),),
        MoneyOperation.FUND_TRANSFER: (Flow(FUNDS, FUNDS),),
        MoneyOperation.RESERVE_TRANSFER: (Flow(STORES, STORES),),
        MoneyOperation.EXTERNAL_ACTIVITY: both_ways(Flow((*STRIPE, *STORES), EXTERNAL)),
        MoneyOperation.UNCLASSIFIED: both_ways(Flow((*STRIPE, *STORES), UNCLASSIFIED)),
        MoneyOperation.ERASURE: (NOTE,),
        MoneyOperation.REVIEW_ATTESTATION: (NOTE,),
    },
)
