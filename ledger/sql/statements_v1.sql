-- Where an account's entries are, one side of an entry at a time, and what its book said at any
-- earlier moment.

-- They find the entries of an account in a book of millions, in their order. Accounts that stand in
-- nearly every entry are left out (ledger/models.py: HUBS): reading backwards finds those at once,
-- and the index would cost every append.
CREATE INDEX entry_by_debit ON ledger_entry (organisation_id, book, currency, debit, sequence)
    WHERE debit NOT IN ('stripe', 'issued');
CREATE INDEX entry_by_credit ON ledger_entry (organisation_id, book, currency, credit, sequence)
    WHERE credit NOT IN ('stripe', 'issued');

-- Both sides of every entry: `moved` is the amount where the account is debited, and below zero
-- where it is credited.
CREATE VIEW ledger_leg AS
    SELECT organisation_id, book, sequence, debit AS account, amount AS moved, entry_id, operation,
        amount, currency, debit, credit, nonce, metadata, occurred_at, recorded_at,
        prev_entry_hash, entry_hash, line
    FROM ledger_entry
    UNION ALL
    SELECT organisation_id, book, sequence, credit, -amount, entry_id, operation,
        amount, currency, debit, credit, nonce, metadata, occurred_at, recorded_at,
        prev_entry_hash, entry_hash, line
    FROM ledger_entry;

-- Which entry was reversed by which: few among millions, and each found by its key.
CREATE VIEW ledger_correction AS
    SELECT organisation_id, book, reverses, sequence FROM ledger_entry WHERE reverses IS NOT NULL;

-- The last entry that was recorded by a moment: times never go back in a book, so it is searched
-- for by halves, along the primary key. NULL when the book began later.
CREATE FUNCTION ledger_sequence_at_v1(of_organisation text, of_book text, moment timestamptz)
RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first bigint := -1;
    last bigint;
    middle bigint;
    recorded timestamptz;
BEGIN
    SELECT size - 1 INTO last FROM public.ledger_book
    WHERE organisation_id = of_organisation AND book = of_book;
    WHILE first < last LOOP
        middle := (first + last + 1) / 2;
        SELECT recorded_at INTO recorded FROM public.ledger_entry
        WHERE organisation_id = of_organisation AND book = of_book AND sequence = middle;
        IF recorded <= moment THEN
            first := middle;
        ELSE
            last := middle - 1;
        END IF;
    END LOOP;
    RETURN nullif(first, -1);
END
$$;

-- The sums of every account that was named up to an entry: from the last balance attestation before
-- it, so that no more is read than came since.
CREATE FUNCTION ledger_sums_at_v1(of_organisation text, of_book text, of_sequence bigint)
RETURNS TABLE (currency text, name text, debits bigint, credits bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH attestation AS MATERIALIZED (
        SELECT (metadata -> 'size')::bigint AS size, (metadata -> 'parts')::bigint AS parts
        FROM public.ledger_entry
        WHERE organisation_id = of_organisation AND book = of_book AND book = 'public'
            AND operation = 'BALANCE_ATTESTATION' AND sequence <= of_sequence
        ORDER BY sequence DESC LIMIT 1
    ), attested AS (
        SELECT item -> 'currency' AS currency, item -> 'account' AS name,
            (item -> 'debits')::bigint AS debits, (item -> 'credits')::bigint AS credits
        FROM public.ledger_entry, jsonb_each(metadata) AS items (key, item)
        WHERE organisation_id = of_organisation AND book = of_book
            AND sequence >= (SELECT size FROM attestation)
            AND sequence < (SELECT size + parts FROM attestation)
            AND jsonb_typeof(item) = 'object'
    ), moved AS (
        SELECT currency, debit, credit, amount FROM public.ledger_entry
        WHERE organisation_id = of_organisation AND book = of_book AND currency <> 'XXX'
            AND sequence >= coalesce((SELECT size FROM attestation), 0)
            AND sequence <= of_sequence
    )
    SELECT currency, name, sum(debits)::bigint, sum(credits)::bigint
    FROM (
        SELECT currency #>> '{}' AS currency, name #>> '{}' AS name, debits, credits FROM attested
        UNION ALL
        SELECT currency, debit, amount, 0 FROM moved
        UNION ALL
        SELECT currency, credit, 0, amount FROM moved
    ) AS legs
    GROUP BY currency, name
$$;

REVOKE ALL ON ledger_leg, ledger_correction FROM PUBLIC, {application};
GRANT SELECT ON ledger_leg, ledger_correction TO {application};
