-- Holds. For any client that is not a superuser: money that is held comes free only as people have
-- decided, each hold ends once, and the ledger says of holds what was decided, to the cent.

ALTER TABLE reviews_hold
    DROP CONSTRAINT reviews_hold_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX hold_by_id ON reviews_hold (id);

REVOKE ALL ON reviews_hold FROM {application};
GRANT SELECT, INSERT, UPDATE (
    status, decided_at, ended_at, released_at_sequence, attempts, next_attempt_at, trouble
) ON reviews_hold TO {application};

-- What is held of a gift: from its own entries on `held`, those of this statement among them.
CREATE FUNCTION reviews_held_of_v1(organisation text, gift text, money text) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(CASE credit WHEN 'held' THEN amount ELSE -amount END), 0)
    FROM public.ledger_entry
    WHERE organisation_id = organisation
        AND book = 'public'
        AND metadata -> 'donation' = to_jsonb(gift)
        AND currency = money
        AND 'held' IN (debit, credit);
$$;

-- Whether all of a gift was given back, in the currency that its donor gave. A refund that failed,
-- or was corrected, gave nothing back.
CREATE FUNCTION reviews_gift_is_given_back_v1(organisation text, gift text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(bool_and(kept <= 0), false)
    FROM (
        SELECT sum(
            CASE operation WHEN 'DONATION_REFUNDED' THEN -1 ELSE 1 END
            * CASE WHEN given <> currency
                THEN (metadata #>> '{presentment,amount}')::numeric ELSE amount END
        ) AS kept
        FROM public.ledger_entry AS entry,
            coalesce(metadata #>> '{presentment,currency}', currency) AS given
        WHERE organisation_id = organisation
            AND book = 'public'
            AND metadata -> 'donation' = to_jsonb(gift)
            AND operation IN ('DONATION_RECEIVED', 'DONATION_REFUNDED', 'REFUND_FAILED')
            AND (operation <> 'DONATION_REFUNDED' OR NOT EXISTS (
                SELECT FROM public.ledger_entry AS correction
                WHERE correction.organisation_id = organisation AND correction.book = 'public'
                    AND correction.reverses = entry.sequence
            ))
        GROUP BY given
    ) AS of_currency;
$$;

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

    IF NEW.status = 'refused' AND NEW.kind = 'ledger'
        AND public.reviews_held_of_v1(NEW.organisation_id, NEW.gift, NEW.currency) > 0
    THEN
        RAISE EXCEPTION 'A gift whose money is held was not given back.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_refused_holds_nothing';
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

-- Money goes from `held` to a fund, whatever that is called, where people released its hold, or where
-- all of its gift was given back and the rates left it over; and no more than is held of the gift.
CREATE FUNCTION reviews_release_is_decided_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_gift constant text := NEW.metadata ->> 'donation';
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.reviews_hold AS hold
        WHERE hold.organisation_id = NEW.organisation_id
            AND hold.gift = of_gift
            AND hold.kind = 'ledger'
            AND (
                hold.status = 'releasing'
                OR hold.status IN ('open', 'refusing')
                    AND public.reviews_gift_is_given_back_v1(NEW.organisation_id, of_gift)
            )
            AND hold.currency = NEW.currency
            AND hold.purpose = NEW.credit
            AND NEW.nonce LIKE 'hold:' || hold.id || ':%'
    ) THEN
        RAISE EXCEPTION 'Held money is released as people decided.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_decided';
    END IF;

    IF public.reviews_held_of_v1(NEW.organisation_id, of_gift, NEW.currency) < 0 THEN
        RAISE EXCEPTION 'No more is released than is held of a gift.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'release_is_of_what_is_held';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reviews_release_is_decided AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (
        NEW.operation = 'HOLD_RELEASED'
        OR NEW.debit = 'held' AND NEW.credit LIKE 'fund:%' AND NEW.operation <> 'CORRECTION'
    )
    EXECUTE FUNCTION reviews_release_is_decided_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER reviews_release_is_decided;

-- What comes back of a gift comes back to `held` until people have released it.
CREATE FUNCTION reviews_return_is_held_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.reviews_hold AS hold
        WHERE hold.organisation_id = NEW.organisation_id
            AND hold.gift = NEW.metadata ->> 'donation'
            AND hold.kind = 'ledger'
            AND hold.status <> 'released'
    ) THEN
        RAISE EXCEPTION 'What comes back of a gift that is held is held again.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'return_is_held';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reviews_return_is_held AFTER INSERT ON ledger_entry
    FOR EACH ROW WHEN (
        NEW.operation IN ('REFUND_FAILED', 'DISPUTE_WON') AND NEW.credit <> 'held'
    )
    EXECUTE FUNCTION reviews_return_is_held_v1();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER reviews_return_is_held;

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
