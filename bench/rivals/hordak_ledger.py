"""django-hordak, as a rival: balanced transactions of two legs by its own API."""

# It runs in the rivals' environment, whose packages mypy does not see.
# mypy: ignore-errors
import os
from itertools import islice

import django
from django.conf import settings

from bench.rivals.loop import WARM_UP, answer, database, settle

settings.configure(
    DATABASES={"default": database(os.environ["RIVAL_DATABASE_URL"])},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
    USE_TZ=True,
    DEFAULT_CURRENCY="EUR",
    CURRENCIES=["EUR"],
    SECRET_KEY=os.urandom(16).hex(),
)
django.setup()

from django.core.management import call_command  # noqa: E402 - after the set-up
from django.db import connection, transaction  # noqa: E402
from hordak.models import Account, AccountType, Leg, Transaction  # noqa: E402
from moneyed import Money  # noqa: E402

BATCH = 1000


def single(count: int) -> None:
    """Post transactions, each committed by itself."""
    for number in range(count):
        with transaction.atomic():
            post(number)


def atomic(count: int) -> None:
    """Post transactions by the same call, all in one commit."""
    with transaction.atomic():
        for number in range(count):
            post(number)


def bulk(count: int) -> None:
    """Post transactions by Django's bulk inserts, which pass by the checks of `Leg.save`."""
    numbers = iter(range(count))
    while part := list(islice(numbers, BATCH)):
        with transaction.atomic():
            made = Transaction.objects.bulk_create([Transaction() for _ in part])
            legs = []
            for one, number in zip(made, part, strict=True):
                amount = Money(1000 + number, "EUR")
                legs.append(Leg(transaction=one, account=FUND, credit=amount))
                legs.append(Leg(transaction=one, account=STRIPE, debit=amount))
            Leg.objects.bulk_create(legs)


def post(number: int) -> None:
    """Move one amount from one account to the other."""
    FUND.transfer_to(STRIPE, Money(1000 + number, "EUR"), description="DONATION_RECEIVED")


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE hordak_transaction, hordak_leg, hordak_account CASCADE")
    STRIPE = Account.objects.create(
        name="stripe", code="1", type=AccountType.asset, currencies=["EUR"]
    )
    FUND = Account.objects.create(
        name="fund:general", code="4", type=AccountType.income, currencies=["EUR"]
    )
    bulk(WARM_UP)
    settle(connection)
    answer({"single": single, "atomic": atomic, "bulk": bulk})
