-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE treasury_payoutorder
    DROP CONSTRAINT treasury_payoutorder_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX payout_order_by_id ON treasury_payoutorder (id);

REVOKE ALL ON treasury_payoutcontrol, treasury_payoutorder FROM {application};
GRANT SELECT, INSERT, UPDATE ON treasury_payoutcontrol TO {application};
GRANT SELECT, INSERT, UPDATE (tried_at, status, payout, trouble) ON treasury_payoutorder TO {application};

-- Whoever writes, when an order is taken down and whenever it is sent: nothing is paid out while payouts wait for a decision, nor what is held, nor what
-- the public book does not know of; and what was answered stays.
CREATE FUNCTION treasury_payout_order_is_free_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    free numeric;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status <> 'open' THEN
            RAISE EXCEPTION 'What became of an order stays.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_order_goes_on';
        END IF;
        IF NEW.tried_at IS NOT DISTINCT FROM OLD.tried_at THEN
            RETURN NEW;
        END IF;
    END IF;

    IF EXISTS (
        SELECT FROM public.reviews_payouthold AS hold
        WHERE hold.organisation_id = NEW.organisation_id AND hold.released_at IS NULL
    ) THEN
        RAISE EXCEPTION 'Nothing is paid out before it was decided.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payouts_are_not_held';
    END IF;

    SELECT coalesce(sum(account.debits - account.credits), 0) INTO free
    FROM public.ledger_account AS account
    WHERE account.organisation_id = NEW.organisation_id
        AND account.book = 'public'
        AND account.name IN ('stripe', 'held')
        AND account.currency = NEW.currency;
    IF NEW.amount > free THEN
        RAISE EXCEPTION 'What is held is not paid out.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_order_is_of_what_is_free';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER treasury_payout_order_is_free
    BEFORE INSERT OR UPDATE ON treasury_payoutorder
    FOR EACH ROW EXECUTE FUNCTION treasury_payout_order_is_free_v1();
ALTER TABLE treasury_payoutorder ENABLE ALWAYS TRIGGER treasury_payout_order_is_free;
