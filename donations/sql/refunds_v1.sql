-- Refunds that were asked for. For any client that is not a superuser: nobody asks for a refund of a
-- gift that is not in the ledger, or in dispute, or for more than is left of it; nobody changes what
-- was asked, and what became of it only goes on.

-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE donations_refundrequest
    DROP CONSTRAINT donations_refundrequest_pkey, ADD PRIMARY KEY (organisation_id, id),
    ADD CONSTRAINT refund_is_of_a_gift_of_its_organisation
        FOREIGN KEY (organisation_id, donation_id)
        REFERENCES donations_donation (organisation_id, id);
CREATE INDEX refund_by_id ON donations_refundrequest (id);

-- The note may name the donor, so it goes when the donor is erased.
REVOKE ALL ON donations_refundrequest FROM {application};
GRANT SELECT, INSERT,
    UPDATE (note, status, stripe_refund, refusal_code, refusal, failure, attempts, next_attempt_at)
    ON donations_refundrequest TO {application};

-- What is left of a gift: its amount, less what the ledger says was given back, less the requests
-- that may still come to something. One whose refund is an entry already counts there alone.
-- The row of the gift is locked first, so that two requests at once see each other; that holds only
-- where every statement sees what was committed before it.
CREATE FUNCTION donations_refund_is_left_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_settled boolean;
    unreturned bigint;
    asked numeric;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Refunds are requested in transactions that read what is committed.'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;

    SELECT gift.sequence IS NOT NULL AND gift.disputed_amount = 0,
        gift.amount - gift.refunded_amount
    INTO is_settled, unreturned
    FROM public.donations_donation AS gift
    WHERE gift.organisation_id = NEW.organisation_id AND gift.id = NEW.donation_id
    FOR UPDATE;

    -- Where there is no such gift, all of it is null, and the foreign key says so.
    IF NOT is_settled THEN
        RAISE EXCEPTION 'Only a gift that is in the ledger, and not in dispute, is given back.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_is_of_a_settled_gift';
    END IF;

    SELECT coalesce(sum(refund.amount), 0) INTO asked
    FROM public.donations_refundrequest AS refund
    WHERE refund.organisation_id = NEW.organisation_id
        AND refund.donation_id = NEW.donation_id
        AND refund.status NOT IN ('failed', 'refused')
        AND NOT EXISTS (
            SELECT FROM public.ledger_entry AS entry
            WHERE entry.organisation_id = NEW.organisation_id
                AND entry.book = 'public'
                AND entry.metadata -> 'donation' = to_jsonb(NEW.donation_id)
                AND entry.operation = 'DONATION_REFUNDED'
                AND entry.metadata ->> 'source' = refund.stripe_refund
        );

    IF NEW.amount > unreturned - asked THEN
        RAISE EXCEPTION 'The refund is larger than what is left of its gift.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_is_of_what_is_left';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER donations_refund_is_left
    BEFORE INSERT ON donations_refundrequest
    FOR EACH ROW EXECUTE FUNCTION donations_refund_is_left_v1();
ALTER TABLE donations_refundrequest ENABLE ALWAYS TRIGGER donations_refund_is_left;

-- A request that came to nothing does not come back: its amount may have been asked for again.
-- What Stripe calls the refund is said once.
CREATE FUNCTION donations_refund_goes_on_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ways constant text[] := ARRAY['requested', 'sent', 'pending', 'succeeded', 'failed', 'refused'];
BEGIN
    IF OLD.status IN ('failed', 'refused') AND NEW.status <> OLD.status
        OR array_position(ways, NEW.status::text) < array_position(ways, OLD.status::text)
        OR OLD.stripe_refund NOT IN ('', NEW.stripe_refund)
    THEN
        RAISE EXCEPTION 'What became of a refund is not taken back.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_goes_on';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER donations_refund_goes_on
    BEFORE UPDATE ON donations_refundrequest
    FOR EACH ROW EXECUTE FUNCTION donations_refund_goes_on_v1();
ALTER TABLE donations_refundrequest ENABLE ALWAYS TRIGGER donations_refund_goes_on;
