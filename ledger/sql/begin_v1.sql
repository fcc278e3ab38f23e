-- What a writer asks before it writes, in one round trip.

-- Locks the head of a book and returns it, with those of the nonces that are taken; opens the
-- accounts that are missing. Each statement of a volatile function sees what was committed before
-- it began, so nonces are looked up after the lock was waited for. NULL when there is no such book.
--
-- `nonces` are lines of text, and so are `currencies` and `accounts`, which belong together line by
-- line: none of them may have a line end in it.
CREATE FUNCTION ledger_begin_v1(
    organisation text, name text, nonces text, currencies text, accounts text,
    OUT size bigint, OUT head_hash text, OUT recorded_at timestamptz, OUT known text[]
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    SELECT head.size, head.head_hash, head.recorded_at INTO size, head_hash, recorded_at
    FROM public.ledger_book AS head
    WHERE head.organisation_id = organisation AND head.book = name
    FOR UPDATE;

    known := ARRAY(
        SELECT entry.nonce FROM public.ledger_entry AS entry
        WHERE entry.organisation_id = organisation AND entry.book = name
            AND entry.nonce = ANY (string_to_array(nonces, chr(10)))
    );

    INSERT INTO public.ledger_account (organisation_id, book, currency, name)
    SELECT organisation, ledger_begin_v1.name, wanted.currency, wanted.account
    FROM unnest(string_to_array(currencies, chr(10)), string_to_array(accounts, chr(10)))
        AS wanted (currency, account)
    WHERE NOT EXISTS (
        SELECT FROM public.ledger_account AS account
        WHERE account.organisation_id = organisation AND account.book = ledger_begin_v1.name
            AND account.currency = wanted.currency AND account.name = wanted.account
    )
    ORDER BY wanted.currency, wanted.account;
END
$$;
