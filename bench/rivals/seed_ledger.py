"""
The usual first design of a hash-chained ledger in Django, as a rival.

The newest entry is found by its time, the new one is saved by the ORM, and a row trigger forbids
updates and deletions. It promises less than Almoner: no lock and no key keep the chain from
forking, no sums are kept, and the hash is nobody's concern but the writer's.
"""

import hashlib
import json
import os
import uuid

import django
from django.conf import settings

from bench.rivals.loop import WARM_UP, answer, database, settle

settings.configure(
    DATABASES={"default": database(os.environ["RIVAL_DATABASE_URL"])},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402 - after the set-up

ORGANISATION = uuid.uuid4()
GUARD = """
    CREATE OR REPLACE FUNCTION seed_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is append-only';
    END
    $$;
    CREATE OR REPLACE TRIGGER seed_refuse BEFORE UPDATE OR DELETE ON seed_entry
        FOR EACH ROW EXECUTE FUNCTION seed_refuse();
"""


class Entry(models.Model):
    """One entry; it is chained to the newest one of its organisation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organisation = models.UUIDField()
    operation = models.CharField(max_length=40)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    account = models.CharField(max_length=160)
    reference = models.CharField(max_length=255, unique=True)
    metadata = models.JSONField()
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: models.Manager["Entry"] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "seed_entry"
        indexes = [models.Index(fields=["organisation", "created_at"], name="seed_by_time")]

    def __str__(self) -> str:
        """Name the entry."""
        return str(self.id)


def single(count: int) -> None:
    """Write entries, each in a transaction of its own."""
    for number in range(count):
        with transaction.atomic():
            newest = Entry.objects.filter(organisation=ORGANISATION).order_by("-created_at").first()
            content = {
                "operation": "DONATION_RECEIVED",
                "amount": 1000 + number,
                "currency": "EUR",
                "account": "fund:general",
                "reference": f"stripe:acct_1SCq4FKd7Qx2mNvB:txn_{uuid.uuid4().hex[:24]}:charge",
                "metadata": {"charge": f"ch_{uuid.uuid4().hex[:24]}"},
                "previous_hash": newest.entry_hash if newest else "",
            }
            hashed = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
            Entry.objects.create(organisation=ORGANISATION, entry_hash=hashed, **content)


if __name__ == "__main__":
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS seed_entry")
    with connection.schema_editor() as editor:
        editor.create_model(Entry)
    with connection.cursor() as cursor:
        cursor.execute(GUARD)
    single(WARM_UP)
    settle(connection)
    answer({"single": single})
