-- The projection in one statement for each batch, whatever its size, and the guard of what it
-- writes.

-- Projects each inserted batch on the accounts it moves and on the head of its book. Refuses an
-- entry without its accounts, one recorded before its predecessor, and an overdraft inside a batch.
--
-- The accounts of a batch are few among many: no plan may read them all.
CREATE FUNCTION ledger_project_v2() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    accounts_missing bigint;
    heads_refusing bigint;
    is_private boolean;
    moments_differ boolean;
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
    ), latest AS MATERIALIZED (
        SELECT organisation_id, book, min(sequence) AS first, max(sequence) + 1 AS size,
            (array_agg(entry_hash ORDER BY sequence DESC))[1] AS head_hash,
            min(recorded_at) AS recorded_from, max(recorded_at) AS recorded_at
        FROM inserted GROUP BY organisation_id, book
    ), advanced AS (
        UPDATE public.ledger_book AS head
        SET size = latest.size, head_hash = latest.head_hash, recorded_at = latest.recorded_at
        FROM latest
        WHERE head.organisation_id = latest.organisation_id AND head.book = latest.book
            -- Otherwise a function that the statement calls has written the next ones before.
            AND head.size = latest.first
            AND (head.recorded_at <= latest.recorded_from) IS NOT FALSE
        RETURNING head.book
    )
    SELECT (SELECT count(*) FROM moved) - (SELECT count(*) FROM raised),
        count(*) - (SELECT count(*) FROM advanced),
        bool_or(book <> 'public'), bool_or(recorded_from < recorded_at)
    INTO accounts_missing, heads_refusing, is_private, moments_differ
    FROM latest;

    IF accounts_missing > 0 THEN
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

    IF moments_differ THEN
        SELECT count(*) + heads_refusing INTO heads_refusing FROM (
            SELECT recorded_at, lag(recorded_at) OVER (
                PARTITION BY organisation_id, book ORDER BY sequence
            ) AS recorded_before
            FROM inserted
        ) AS step
        WHERE recorded_at < recorded_before;
    END IF;
    IF heads_refusing > 0 THEN
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
-- zero, keep their identity, and change only from within the projecting trigger. What it asks
-- stands in its triggers' conditions: they are read for every account that a batch moves.
CREATE FUNCTION ledger_refuse_sums_v2() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: sums and heads follow from entries alone', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

DROP TRIGGER ledger_guard_sums ON ledger_account;
DROP TRIGGER ledger_guard_sums ON ledger_book;
DROP FUNCTION ledger_guard_sums_v1();

CREATE TRIGGER ledger_guard_opening BEFORE INSERT ON ledger_account FOR EACH ROW
    WHEN (NEW.debits <> 0 OR NEW.credits <> 0)
    EXECUTE FUNCTION ledger_refuse_sums_v2();
CREATE TRIGGER ledger_guard_sums BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (
        pg_trigger_depth() = 0
        OR (NEW.organisation_id, NEW.book, NEW.currency, NEW.name)
            IS DISTINCT FROM (OLD.organisation_id, OLD.book, OLD.currency, OLD.name)
    )
    EXECUTE FUNCTION ledger_refuse_sums_v2();
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_guard_opening;
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_guard_sums;

CREATE TRIGGER ledger_guard_opening BEFORE INSERT ON ledger_book FOR EACH ROW
    WHEN (NEW.size <> 0 OR NEW.head_hash IS NOT NULL OR NEW.recorded_at IS NOT NULL)
    EXECUTE FUNCTION ledger_refuse_sums_v2();
CREATE TRIGGER ledger_guard_sums BEFORE UPDATE ON ledger_book FOR EACH ROW
    WHEN (
        (pg_trigger_depth() = 0 AND (NEW.size, NEW.head_hash, NEW.recorded_at)
            IS DISTINCT FROM (OLD.size, OLD.head_hash, OLD.recorded_at))
        OR (NEW.organisation_id, NEW.book) IS DISTINCT FROM (OLD.organisation_id, OLD.book)
    )
    EXECUTE FUNCTION ledger_refuse_sums_v2();
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_guard_opening;
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_guard_sums;
