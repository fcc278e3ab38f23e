-- Decisions. Two people decide what moves or frees much money; what changes nothing (`close`,
-- `keep`) takes one, however much the case is about. All else is as in decisions_v1.

-- The case's row is locked first, so that two who decide at once see each other; that holds only
-- where every statement sees what was committed before it.
CREATE FUNCTION reviews_decision_counts_v2() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about record;
    proposal record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Cases are decided in transactions that read what is committed.'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;

    SELECT * INTO about FROM public.reviews_case WHERE id = NEW.case_id FOR UPDATE;
    IF about.closed_at IS NOT NULL OR about.round <> NEW.round THEN
        RAISE EXCEPTION 'The case is closed.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_is_open';
    END IF;

    IF EXISTS (
        SELECT FROM public.organisations_membership AS membership
        WHERE membership.organisation_id = about.organisation_id AND membership.user_id = NEW.by_id
    ) OR EXISTS (
        SELECT FROM public.donations_donation AS gift, public.organisations_user AS person
        WHERE gift.organisation_id = about.organisation_id AND gift.id = about.gift
            AND person.id = NEW.by_id AND lower(gift.donor_email) = lower(person.email)
    ) THEN
        RAISE EXCEPTION 'Nobody decides on their own organisation or gift.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_is_of_others';
    END IF;

    -- What is held is released or given back; there is no third way.
    IF NEW.choice IN ('close', 'keep') AND (
        EXISTS (
            SELECT FROM public.reviews_hold AS hold
            WHERE hold.case_id = NEW.case_id AND hold.status = 'open'
        ) OR EXISTS (
            SELECT FROM public.reviews_payouthold AS hold
            WHERE hold.case_id = NEW.case_id AND hold.released_at IS NULL
        )
    ) THEN
        RAISE EXCEPTION 'What is held is not merely closed.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_frees_what_is_held';
    END IF;

    IF NEW.is_final AND (
        NEW.confirms_id IS NOT NULL
        OR NEW.choice NOT IN ('close', 'keep') AND (
            about.people_needed > 1
            -- Payouts that go on free whatever came since.
            OR EXISTS (
                SELECT FROM public.reviews_payouthold AS hold WHERE hold.case_id = NEW.case_id
            )
        )
    ) THEN
        SELECT * INTO proposal FROM public.reviews_decision
        WHERE case_id = NEW.case_id AND round = NEW.round AND NOT is_final
        ORDER BY id DESC LIMIT 1;
        IF proposal.id IS DISTINCT FROM NEW.confirms_id
            OR proposal.by_id IS NOT DISTINCT FROM NEW.by_id
            OR proposal.choice IS DISTINCT FROM NEW.choice
        THEN
            RAISE EXCEPTION 'Somebody else must have proposed the same.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_is_of_two';
        END IF;
    END IF;
    RETURN NEW;
END
$$;

DROP TRIGGER reviews_decision_counts ON reviews_decision;
DROP FUNCTION reviews_decision_counts_v1();
CREATE TRIGGER reviews_decision_counts BEFORE INSERT ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_decision_counts_v2();
ALTER TABLE reviews_decision ENABLE ALWAYS TRIGGER reviews_decision_counts;
