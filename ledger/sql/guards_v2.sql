-- The projection in two statements for each batch, whatever its size, and the guard of what it
-- writes.

-- Projects each inserted batch on the accounts it moves and on the head of its book. Refuses an
-- entry without its accounts, one recorded before its predecessor, and an overdraft inside a batch.
--
-- The accounts of a batch are few among many: no plan may read them all.
CREATE FUNCTION ledger_project_v2() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    accounts_named bigint;
    accounts_raised bigint;
    is_private boolean;
    is_backdated boolean;
BEGIN
    WITH leg AS (
        SELECT organisation_id, book, currency, debit AS name, amount AS debited, 0 AS credited
        FROM inserted
        UNION ALL
        SELECT organisation_id, book, currency, credit, 0, amount FROM inserted
    ), moved AS MATERIALIZED (
        SELECT organisation_id, book, currency, name, sum(debited) AS debits, sum(credited) AS credits
        FROM leg GROUP BY organisation_id, book, currency, name
    ), raised AS (
        UPDATE public.ledger_account AS account
        SET debits = account.debits + moved.debits, credits = account.credits + moved.credits
        FROM moved
        WHERE account.organisation_id = moved.organisation_id AND account.book = moved.book
            AND account.currency = moved.currency AND account.name = moved.name
        RETURNING account.name
    )
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM raised),
        (SELECT bool_or(book <> 'public') FROM inserted)
    INTO accounts_named, accounts_raised, is_private;
    IF accounts_named <> accounts_raised THEN
        RAISE EXCEPTION 'an entry moves an account that its book does not have in its currency'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'entry_moves_accounts_of_its_book',
                TABLE = 'ledger_entry';
    END IF;

    -- The CHECK sees what a batch leaves; an owner must not spend what only its later entries bring.
    IF is_private THEN
        PERFORM FROM (
            SELECT organisation_id, book, currency, name, sum(moved) OVER (
                PARTITION BY organisation_id, book, currency, name ORDER BY sequence
                ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS moved_later
            FROM (
                SELECT organisation_id, book, sequence, currency, debit AS name, -amount AS moved
                FROM inserted
                UNION ALL
                SELECT organisation_id, book, sequence, currency, credit, amount FROM inserted
            ) AS legs
        ) AS legs
        JOIN public.ledger_account AS account USING (organisation_id, book, currency, name)
        WHERE account.kind = 'owner' AND account.credits - account.debits < legs.moved_later;
        IF FOUND THEN
            RAISE EXCEPTION 'an entry of the batch spends more than its owner has by then'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'account_is_not_overdrawn',
                    TABLE = 'ledger_account';
        END IF;
    END IF;

    WITH step AS MATERIALIZED (
        SELECT organisation_id, book, sequence, entry_hash, recorded_at,
            lag(recorded_at) OVER chain AS recorded_before, lead(sequence) OVER chain AS next
        FROM inserted
        WINDOW chain AS (PARTITION BY organisation_id, book ORDER BY sequence)
    ), backdated AS (
        SELECT FROM step JOIN public.ledger_book AS head USING (organisation_id, book)
        WHERE step.recorded_at < coalesce(step.recorded_before, head.recorded_at)
    ), moved AS (
        UPDATE public.ledger_book AS head
        SET size = step.sequence + 1, head_hash = step.entry_hash, recorded_at = step.recorded_at
        FROM step
        WHERE step.next IS NULL
            AND head.organisation_id = step.organisation_id AND head.book = step.book
    )
    SELECT EXISTS (SELECT FROM backdated) INTO is_backdated;
    IF is_backdated THEN
        RAISE EXCEPTION 'an entry is recorded before its predecessor'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_is_recorded_in_order',
                TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION ledger_project_v2() FROM PUBLIC;

DROP TRIGGER ledger_project ON ledger_entry;
DROP FUNCTION ledger_project_v1();
CREATE TRIGGER ledger_project AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_project_v2();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_project;

-- Refuses sums and heads that nobody but the projection writes: an account and a book open at
-- zero, keep their identity, and change only from within the projecting trigger.
CREATE FUNCTION ledger_guard_sums_v2() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written jsonb := to_jsonb(NEW);
    -- `kind` is generated after this trigger from the name, which must not change.
    sums text[] := ARRAY['debits', 'credits', 'size', 'head_hash', 'recorded_at', 'lock', 'kind'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF coalesce(written ->> 'debits', '0') = '0' AND coalesce(written ->> 'credits', '0') = '0'
            AND coalesce(written ->> 'size', '0') = '0' AND written ->> 'head_hash' IS NULL
            AND written ->> 'recorded_at' IS NULL THEN
            RETURN NEW;
        END IF;
    ELSIF written - sums = to_jsonb(OLD) - sums
        AND (pg_trigger_depth() > 1 OR written - '{lock,kind}'::text[] = to_jsonb(OLD) - '{lock,kind}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of % is refused: sums and heads follow from entries alone', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER ledger_guard_sums ON ledger_account;
DROP TRIGGER ledger_guard_sums ON ledger_book;
DROP FUNCTION ledger_guard_sums_v1();
CREATE TRIGGER ledger_guard_sums BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_sums_v2();
CREATE TRIGGER ledger_guard_sums BEFORE INSERT OR UPDATE ON ledger_book
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_sums_v2();
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_guard_sums;
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_guard_sums;
