-- Holds. For any client that is not a superuser: money that is held comes free only as people have
-- decided, each hold ends once, and the ledger says of holds what was decided, to the cent.

ALTER TABLE reviews_hold
    DROP CONSTRAINT reviews_hold_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX hold_by_id ON reviews_hold (id);

REVOKE ALL ON reviews_hold FROM {application};
GRANT SELECT, INSERT, UPDATE (
    status, decided_at, ended_at, released_at_sequence, attempts, next_attempt_at, trouble
) ON reviews_hold TO {application};

CREATE FUNCTION reviews_hold_goes_on_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decided text;
    wanted constant text := CASE NEW.status WHEN 'refusing' THEN 'refuse' ELSE 'release' END;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' THEN
            RAISE EXCEPTION 'A hold begins open.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_begins_open';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;

    IF OLD.status IN ('released', 'lapsed')
        OR OLD.status = 'refused' AND NOT (NEW.status = 'open' AND NEW.kind = 'ledger')
        OR OLD.status = 'releasing' AND NEW.status NOT IN ('released', 'lapsed', 'refused')
        OR OLD.status = 'refusing' AND NEW.status NOT IN ('refused', 'lapsed', 'open')
        OR NEW.status = 'lapsed' AND NEW.kind <> 'capture'
    THEN
        RAISE EXCEPTION 'A hold that is % does not become %.', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_goes_on';
    END IF;

    IF NEW.status IN ('releasing', 'released', 'refusing') THEN
        SELECT decision.choice INTO decided
        FROM public.reviews_decision AS decision
        JOIN public.reviews_case AS about ON about.id = decision.case_id
        WHERE decision.case_id = NEW.case_id AND decision.round = about.round AND decision.is_final;
        IF decided IS DISTINCT FROM wanted THEN
            RAISE EXCEPTION 'A hold ends as it was decided.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_ends_as_decided';
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_hold_goes_on BEFORE INSERT OR UPDATE ON reviews_hold
    FOR EACH ROW EXECUTE FUNCTION reviews_hold_goes_on_v1();
ALTER TABLE reviews_hold ENABLE ALWAYS TRIGGER reviews_hold_goes_on;

-- A release in the ledger is of a hold that people released, and of what is still held of its gift;
-- what a rate left over when the gift was given back leaves `held` likewise.
CREATE FUNCTION reviews_release_is_decided_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held numeric;
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.reviews_hold AS hold
        WHERE hold.organisation_id = NEW.organisation_id
            AND hold.gift = NEW.metadata ->> 'donation'
            AND hold.kind = 'ledger'
            AND hold.status IN ('releasing', 'refused')
            AND hold.currency = NEW.currency
            AND hold.purpose = NEW.credit
            AND NEW.nonce LIKE 'hold:' || hold.id || ':%'
    ) THEN
        RAISE EXCEPTION 'Held money is released as people decided.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_decided';
    END IF;

    -- Only the entries of this gift on `held`, this one among them.
    SELECT sum(CASE WHEN entry.credit = 'held' THEN entry.amount ELSE -entry.amount END) INTO held
    FROM public.ledger_entry AS entry
    WHERE entry.organisation_id = NEW.organisation_id
        AND entry.book = 'public'
        AND entry.metadata -> 'donation' = NEW.metadata -> 'donation'
        AND entry.currency = NEW.currency
        AND 'held' IN (entry.debit, entry.credit);
    IF held < 0 THEN
        RAISE EXCEPTION 'No more is released than is held of a gift.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_of_what_is_held';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reviews_release_is_decided AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'HOLD_RELEASED')
    EXECUTE FUNCTION reviews_release_is_decided_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER reviews_release_is_decided;

-- Nor does a correction take a hold back.
CREATE FUNCTION reviews_hold_is_not_corrected_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.ledger_entry AS entry
        WHERE entry.organisation_id = NEW.organisation_id AND entry.book = NEW.book
            AND entry.sequence = NEW.reverses
            AND entry.operation IN ('DONATION_HELD', 'HOLD_RELEASED')
    ) THEN
        RAISE EXCEPTION 'Held money is released as people decided.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_decided';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reviews_hold_is_not_corrected AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (NEW.operation = 'CORRECTION' AND 'held' IN (NEW.debit, NEW.credit))
    EXECUTE FUNCTION reviews_hold_is_not_corrected_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER reviews_hold_is_not_corrected;
