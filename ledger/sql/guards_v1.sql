-- What declarations cannot say: balances and heads are projected from entries by the database
-- alone, and nothing that was written is ever changed. The triggers are ENABLE ALWAYS: they also
-- fire for the owner and under session_replication_role = replica.

-- Projects each inserted batch on the accounts it moves and on the head of its book.
CREATE FUNCTION ledger_project_v1() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.ledger_account AS account
    SET debits = account.debits + moved.debits, credits = account.credits + moved.credits
    FROM (
        SELECT organisation_id, book, currency, name, sum(debited) AS debits, sum(credited) AS credits
        FROM (
            SELECT organisation_id, book, currency, debit AS name, amount AS debited, 0 AS credited
            FROM inserted
            UNION ALL
            SELECT organisation_id, book, currency, credit, 0, amount FROM inserted
        ) AS legs
        GROUP BY organisation_id, book, currency, name
    ) AS moved
    WHERE account.organisation_id = moved.organisation_id AND account.book = moved.book
        AND account.currency = moved.currency AND account.name = moved.name
        AND (moved.debits > 0 OR moved.credits > 0);

    -- The CHECK sees what a batch leaves; an owner must not spend what only its later entries bring.
    IF EXISTS (SELECT FROM inserted WHERE book <> 'public') THEN
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

    UPDATE public.ledger_book AS head
    SET size = latest.sequence + 1, head_hash = latest.entry_hash
    FROM (
        SELECT DISTINCT ON (organisation_id, book) organisation_id, book, sequence, entry_hash
        FROM inserted ORDER BY organisation_id, book, sequence DESC
    ) AS latest
    WHERE head.organisation_id = latest.organisation_id AND head.book = latest.book;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION ledger_project_v1() FROM PUBLIC;

-- Refuses a correction that does not move back exactly what its entry moved.
CREATE FUNCTION ledger_mirror_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.ledger_entry AS reversed
    WHERE reversed.organisation_id = NEW.organisation_id AND reversed.book = NEW.book
        AND reversed.sequence = NEW.reverses AND reversed.amount = NEW.amount
        AND reversed.currency = NEW.currency
        AND reversed.debit = NEW.credit AND reversed.credit = NEW.debit;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the correction % does not mirror the entry %', NEW.sequence, NEW.reverses
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_mirrors_what_it_reverses',
                TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END
$$;

-- Refuses what would change history.
CREATE FUNCTION ledger_refuse_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
            HINT = 'Correct a mistake by a new entry that reverses the old one.';
END
$$;

-- Refuses sums and heads that nobody but the projection writes: an account and a book open at
-- zero, keep their identity, and change only from within the projecting trigger.
CREATE FUNCTION ledger_guard_sums_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written jsonb := to_jsonb(NEW);
    -- `kind` is generated after this trigger from the name, which must not change.
    sums text[] := ARRAY['debits', 'credits', 'size', 'head_hash', 'lock', 'kind'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF coalesce(written ->> 'debits', '0') = '0' AND coalesce(written ->> 'credits', '0') = '0'
            AND coalesce(written ->> 'size', '0') = '0' AND written ->> 'head_hash' IS NULL THEN
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

CREATE TRIGGER ledger_project AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_project_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_project;

CREATE TRIGGER ledger_mirror AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'CORRECTION') EXECUTE FUNCTION ledger_mirror_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_mirror;

CREATE TRIGGER ledger_refuse BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

CREATE TRIGGER ledger_guard_sums BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_sums_v1();
CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_guard_sums;
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

CREATE TRIGGER ledger_guard_sums BEFORE INSERT OR UPDATE ON ledger_book
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_sums_v1();
CREATE TRIGGER ledger_refuse BEFORE DELETE ON ledger_book
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_book
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_guard_sums;
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

-- The application's role: it reads all, opens books and accounts at zero, and adds entries.
REVOKE ALL ON ledger_book, ledger_account, ledger_entry, ledger_signingkey,
    ledger_entrylisting, ledger_booklisting FROM PUBLIC, {application};
GRANT SELECT ON ledger_book, ledger_account, ledger_entry, ledger_signingkey,
    ledger_entrylisting, ledger_booklisting TO {application};
GRANT INSERT (organisation_id, book), UPDATE (lock) ON ledger_book TO {application};
GRANT INSERT (organisation_id, book, currency, name) ON ledger_account TO {application};
GRANT INSERT (
    organisation_id, book, sequence, entry_id, operation, amount, currency, debit, credit, nonce,
    metadata, occurred_at, recorded_at, prev_entry_hash, entry_hash, line
) ON ledger_entry TO {application};
GRANT INSERT ON ledger_signingkey TO {application};
