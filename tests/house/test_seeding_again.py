"""A demo whose filling was cut off goes on where it stopped."""

from pathlib import Path

from tests.house.conftest import House


def test_filling_again_makes_no_gift_a_second_time(house: House):
    count = (
        "SELECT (SELECT count(*) FROM donations_donation WHERE idempotency_key LIKE 'demo-%'), "
        "(SELECT count(*) FROM ledger_entry WHERE operation = 'DONATION_REFUNDED')"
    )
    before = house.query(count)
    Path(house.environment["DATA_DIR"], "demo.json").unlink()

    again = house.manage("seed_demo")

    assert again.returncode == 0, again.stderr
    assert house.query(count) == before
    assert "VALID: 4 books" in house.manage("audit_ledger").stdout
