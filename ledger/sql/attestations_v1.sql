-- What a public book says of itself is true: no balance attestation whose sums are not those of the
-- entries before it, and none in parts that are not all there.

-- What a part of an attestation must say when it is written after `of_size` entries. Sixty accounts
-- with the longest names fit in a line; places are counted by the bytes of currency and name.
CREATE FUNCTION ledger_attestation_v1(of_organisation text, of_size bigint, of_part bigint)
RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH attested AS MATERIALIZED (
        SELECT currency, name, debits, credits,
            row_number() OVER (ORDER BY currency COLLATE "C", name COLLATE "C") - 1 AS place
        FROM public.ledger_sums_at_v1(of_organisation, 'public', of_size - 1)
    )
    SELECT jsonb_build_object(
        'size', of_size, 'part', of_part, 'parts', greatest(1, (count(*) + 59) / 60),
        'accounts', count(*)
    ) || coalesce(
        jsonb_object_agg('a' || place % 60, jsonb_build_object(
            'account', name, 'currency', currency, 'debits', debits, 'credits', credits
        )) FILTER (WHERE place / 60 = of_part - 1), '{}'
    )
    FROM attested
$$;

-- Refuses an attestation that says anything else, and one while the accounts of the book say
-- anything else: it comes first in its batch, and best alone.
CREATE FUNCTION ledger_attest_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    size bigint := (NEW.metadata -> 'size')::bigint;
    part bigint := (NEW.metadata -> 'part')::bigint;
    parts bigint := (NEW.metadata -> 'parts')::bigint;
BEGIN
    IF NEW.book = 'public' AND NEW.debit = 'genesis' AND NEW.credit = 'genesis:end'
        AND NEW.sequence = size + part - 1 AND part BETWEEN 1 AND parts
        AND NEW.nonce = format('attestation:%s:%s', size, part)
        AND NEW.metadata = public.ledger_attestation_v1(NEW.organisation_id, size, part)
        AND parts = (
            SELECT count(*) FROM public.ledger_entry
            WHERE organisation_id = NEW.organisation_id AND book = NEW.book
                AND operation = NEW.operation AND sequence >= size AND sequence < size + parts
        )
        AND NOT EXISTS (
            SELECT FROM public.ledger_account AS account
            LEFT JOIN public.ledger_sums_at_v1(NEW.organisation_id, 'public', size - 1) AS past
                USING (currency, name)
            WHERE account.organisation_id = NEW.organisation_id AND account.book = NEW.book
                AND account.kind <> 'genesis'
                AND (account.debits, account.credits)
                    <> (coalesce(past.debits, 0), coalesce(past.credits, 0))
        )
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the attestation % is not what the entries before it add up to', NEW.sequence
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_attests_what_is_so',
            TABLE = 'ledger_entry';
END
$$;

CREATE TRIGGER ledger_attest AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'BALANCE_ATTESTATION') EXECUTE FUNCTION ledger_attest_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_attest;
