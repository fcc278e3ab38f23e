-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it;
-- what is in a payout is in one of its own organisation.
ALTER TABLE treasury_payout
    DROP CONSTRAINT treasury_payout_pkey, ADD PRIMARY KEY (organisation_id, id);
ALTER TABLE treasury_payoutitem
    DROP CONSTRAINT treasury_payoutitem_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD CONSTRAINT item_is_in_a_payout_of_its_organisation
        FOREIGN KEY (organisation_id, payout) REFERENCES treasury_payout (organisation_id, stripe_id);

-- What was in a payout stays in it: the application's role cannot take an item out, nor change it.
REVOKE ALL ON treasury_payoutitem FROM {application};
GRANT SELECT, INSERT, UPDATE (is_booked) ON treasury_payoutitem TO {application};
REVOKE ALL ON treasury_payout FROM {application};
GRANT SELECT, INSERT, UPDATE ON treasury_payout TO {application};

-- What is known of a payout only grows, whoever writes and in whatever order it was read: how far
-- it has come, then whether it is reconciled and traced, then when that was read. How much it is
-- stays, and so do the moments in which we learned that it arrived and that it failed.
CREATE FUNCTION treasury_payout_goes_on_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- One that arrived may still fail; failed and canceled are both the end.
    ways constant jsonb :=
        '{"pending": 0, "in_transit": 1, "paid": 2, "failed": 3, "canceled": 3}';
BEGIN
    IF (NEW.organisation_id, NEW.stripe_id, NEW.amount, NEW.currency)
        <> (OLD.organisation_id, OLD.stripe_id, OLD.amount, OLD.currency)
    THEN
        RAISE EXCEPTION 'A payout stays what it is, and as much.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_stays_what_it_is';
    END IF;
    IF ((ways ->> NEW.status)::int, NEW.reconciliation_status = 'completed',
            NEW.trace_id <> '', NEW.read_at)
        < ((ways ->> OLD.status)::int, OLD.reconciliation_status = 'completed',
            OLD.trace_id <> '', OLD.read_at)
        OR OLD.paid_at IS DISTINCT FROM NEW.paid_at AND OLD.paid_at IS NOT NULL
        OR OLD.failed_at IS DISTINCT FROM NEW.failed_at AND OLD.failed_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'What is known of a payout is not taken back.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_goes_on';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER treasury_payout_goes_on
    BEFORE UPDATE ON treasury_payout
    FOR EACH ROW EXECUTE FUNCTION treasury_payout_goes_on_v1();
ALTER TABLE treasury_payout ENABLE ALWAYS TRIGGER treasury_payout_goes_on;
