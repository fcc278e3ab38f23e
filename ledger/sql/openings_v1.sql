-- The personal details that lines commit to. None is there that does not open its line, none is
-- changed, and none goes before the book says that it goes (ERASURE).
CREATE TABLE ledger_opening (
    organisation_id varchar(32) NOT NULL,
    book text NOT NULL,
    sequence bigint NOT NULL,
    field text NOT NULL CHECK (field ~ '^[a-z0-9_]{1,40}$'),
    value text NOT NULL CHECK (value <> '' AND value IS NFC NORMALIZED AND value !~ '[[:cntrl:]]'),
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (organisation_id, book, sequence, field),
    FOREIGN KEY (organisation_id, book, sequence)
        REFERENCES ledger_entry (organisation_id, book, sequence)
);

-- What an entry says of a detail: the commitment to it.
CREATE FUNCTION ledger_commitment_v1(field text, value text, salt bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'sha256:' || encode(sha256(
        convert_to(E'almoner-commit/v1\n', 'UTF8') || salt
        || convert_to('{"' || field || '":' || to_json(value)::text || '}', 'UTF8')
    ), 'hex')
$$;

-- Whether a book says that the details of an entry were erased.
CREATE FUNCTION ledger_is_erased_v1(of_organisation text, of_book text, of_sequence bigint)
RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM public.ledger_entry
        WHERE organisation_id = of_organisation AND book = of_book
            AND nonce = 'erasure:' || of_sequence AND operation = 'ERASURE'
    )
$$;

CREATE FUNCTION ledger_guard_opening_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_erased boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        is_erased := public.ledger_is_erased_v1(NEW.organisation_id, NEW.book, NEW.sequence);
        IF NOT is_erased AND EXISTS (
            SELECT FROM public.ledger_entry
            WHERE organisation_id = NEW.organisation_id AND book = NEW.book
                AND sequence = NEW.sequence
                AND metadata ->> ('commitment_' || NEW.field)
                    = public.ledger_commitment_v1(NEW.field, NEW.value, NEW.salt)
        ) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'entry % does not commit to this detail', NEW.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT public.ledger_is_erased_v1(OLD.organisation_id, OLD.book, OLD.sequence) THEN
        RAISE EXCEPTION 'the book does not say that the details of entry % are erased', OLD.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER ledger_guard_opening BEFORE INSERT OR DELETE ON ledger_opening
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_opening_v1();
CREATE TRIGGER ledger_refuse BEFORE UPDATE ON ledger_opening
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_v1();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_opening
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_v1();
ALTER TABLE ledger_opening ENABLE ALWAYS TRIGGER ledger_guard_opening;
ALTER TABLE ledger_opening ENABLE ALWAYS TRIGGER ledger_refuse;
ALTER TABLE ledger_opening ENABLE ALWAYS TRIGGER ledger_refuse_truncate;

-- An erasure names an earlier entry that commits to something, and moves nothing.
CREATE FUNCTION ledger_erase_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.debit = 'genesis' AND NEW.credit = 'genesis:end'
        AND NEW.metadata - ARRAY['erases', 'donation'] = '{}'
        AND EXISTS (
            SELECT FROM public.ledger_entry, jsonb_object_keys(metadata) AS key
            WHERE organisation_id = NEW.organisation_id AND book = NEW.book
                AND sequence < NEW.sequence AND to_jsonb(sequence) = NEW.metadata -> 'erases'
                AND sequence = CASE WHEN jsonb_typeof(NEW.metadata -> 'erases') = 'number'
                    THEN (NEW.metadata -> 'erases')::bigint END
                AND NEW.nonce = 'erasure:' || sequence
                AND starts_with(key, 'commitment_')
        )
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the entry % does not erase the details of an earlier one', NEW.sequence
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_erases_what_was_committed',
            TABLE = 'ledger_entry';
END
$$;
CREATE TRIGGER ledger_erase AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'ERASURE') EXECUTE FUNCTION ledger_erase_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_erase;

REVOKE ALL ON ledger_opening FROM PUBLIC, {application};
GRANT SELECT, INSERT, DELETE ON ledger_opening TO {application};
