-- Payout holds. For any client that is not a superuser: payouts go on only as people have decided.

ALTER TABLE reviews_payouthold
    DROP CONSTRAINT reviews_payouthold_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX payout_hold_by_id ON reviews_payouthold (id);

REVOKE ALL ON reviews_payouthold FROM {application};
GRANT SELECT, INSERT, UPDATE (released_at) ON reviews_payouthold TO {application};

CREATE FUNCTION reviews_payout_hold_ends_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decided text;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.released_at IS NULL
        OR TG_OP = 'UPDATE' AND NEW.released_at IS NOT DISTINCT FROM OLD.released_at
    THEN
        RETURN NEW;
    END IF;

    SELECT decision.choice INTO decided
    FROM public.reviews_decision AS decision
    JOIN public.reviews_case AS about ON about.id = decision.case_id
    WHERE decision.case_id = NEW.case_id AND decision.round = about.round AND decision.is_final;
    IF TG_OP = 'INSERT' OR OLD.released_at IS NOT NULL OR decided IS DISTINCT FROM 'release' THEN
        RAISE EXCEPTION 'Payouts go on once, as it was decided.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_hold_ends_as_decided';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_payout_hold_ends BEFORE INSERT OR UPDATE ON reviews_payouthold
    FOR EACH ROW EXECUTE FUNCTION reviews_payout_hold_ends_v1();
ALTER TABLE reviews_payouthold ENABLE ALWAYS TRIGGER reviews_payout_hold_ends;
