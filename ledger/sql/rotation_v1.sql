-- A rotation names the key in force and one that never was, and moves nothing; the signature of the
-- old key is for whoever verifies the book.
CREATE FUNCTION ledger_rotate_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    vkey text := NEW.metadata ->> 'vkey';
    retired text := NEW.metadata ->> 'retires';
BEGIN
    IF NEW.debit = 'genesis' AND NEW.credit = 'genesis:end'
        AND NEW.metadata - ARRAY['retires', 'signature', 'vkey'] = '{}'
        AND vkey <> retired AND split_part(vkey, '+', 1) = split_part(retired, '+', 1)
        AND NEW.nonce = 'key:' || split_part(vkey, '+', 2)
        AND coalesce(length(NEW.metadata ->> 'signature'), 88) = 88
        AND retired = (
            SELECT metadata ->> 'vkey' FROM public.ledger_entry
            WHERE organisation_id = NEW.organisation_id AND book = NEW.book
                AND sequence < NEW.sequence AND operation IN ('GENESIS', 'KEY_ROTATION')
            ORDER BY sequence DESC LIMIT 1
        )
        AND NOT EXISTS (
            SELECT FROM public.ledger_entry
            WHERE organisation_id = NEW.organisation_id AND book = NEW.book AND sequence = 0
                AND metadata ->> 'vkey' = vkey
        )
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the entry % does not rotate the key of its book', NEW.sequence
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_rotates_the_key_in_force',
            TABLE = 'ledger_entry';
END
$$;

CREATE TRIGGER ledger_rotate AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'KEY_ROTATION') EXECUTE FUNCTION ledger_rotate_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_rotate;
