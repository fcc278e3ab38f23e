-- Until its first ANALYZE the planner knows nothing of a table, and then every index that begins
-- with organisation_id is as good to it as any other: it reads a whole book to find one entry, and
-- does so again for each entry that a batch brings. From PostgreSQL 18 on it can be told what the
-- columns will be like; earlier versions find out within their first minute.
DO $$
DECLARE
    n_distinct_of jsonb := '{
        "organisation_id": 20, "book": 2, "sequence": -0.5, "entry_id": -1, "operation": 20,
        "currency": 3, "debit": 20, "credit": 20, "nonce": -1, "entry_hash": -1,
        "prev_sequence": -0.5, "prev_entry_hash": -1
    }';
    column_name text;
BEGIN
    IF current_setting('server_version_num')::integer < 180000 THEN
        RETURN;
    END IF;
    FOR column_name IN SELECT jsonb_object_keys(n_distinct_of) LOOP
        EXECUTE format(
            'SELECT pg_restore_attribute_stats(''schemaname'', ''public'', ''relname'', ''ledger_entry'','
            ' ''attname'', %L, ''inherited'', false, ''null_frac'', 0::real, ''avg_width'', 30,'
            ' ''n_distinct'', %L::real)', column_name, n_distinct_of ->> column_name
        );
    END LOOP;
END
$$;
