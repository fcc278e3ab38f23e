-- Cases and decisions. For any client that is not a superuser: what is large is decided by two
-- people, the one who proposes is never the one who confirms, nobody decides on their own
-- organisation's case or their own gift's, and what was decided and said stays as it is.

REVOKE ALL ON reviews_case, reviews_decision, reviews_note FROM {application};
GRANT SELECT, INSERT ON reviews_case, reviews_decision, reviews_note TO {application};
GRANT UPDATE (
    donor_key, due_at, assigned_to_id, snoozed_until, round, closed_at, closed_by_id, choice, reason
) ON reviews_case TO {application};

CREATE FUNCTION reviews_refuse_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what was decided and found stays', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER reviews_refuse BEFORE UPDATE OR DELETE ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews_decision
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE reviews_decision ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE reviews_decision ENABLE ALWAYS TRIGGER reviews_refuse_truncate;

CREATE TRIGGER reviews_refuse BEFORE UPDATE OR DELETE ON reviews_note
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews_note
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE reviews_note ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE reviews_note ENABLE ALWAYS TRIGGER reviews_refuse_truncate;

-- How many people must agree about an amount: two from 100,000 of the smallest unit on, or from
-- what is in force for the organisation, or for all ("*" stands for every other currency).
CREATE FUNCTION reviews_people_needed_v1(organisation text, amount bigint, currency text)
RETURNS smallint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN amount >= coalesce((
        SELECT coalesce(limits.parameters ->> currency, limits.parameters ->> '*')::bigint
        FROM public.reviews_ruleversion AS limits
        WHERE limits.rule = 'two_people'
            AND limits.activated_at IS NOT NULL
            AND (limits.organisation_id = organisation OR limits.organisation_id IS NULL)
        ORDER BY limits.organisation_id NULLS LAST, limits.number DESC
        LIMIT 1
    ), 100000) THEN 2 ELSE 1 END::smallint
$$;

CREATE FUNCTION reviews_case_begins_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.people_needed := greatest(
        NEW.people_needed,
        public.reviews_people_needed_v1(NEW.organisation_id, NEW.amount, NEW.currency)
    );
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_case_begins BEFORE INSERT ON reviews_case
    FOR EACH ROW EXECUTE FUNCTION reviews_case_begins_v1();
ALTER TABLE reviews_case ENABLE ALWAYS TRIGGER reviews_case_begins;

-- A case is closed by the person who decided it, as they decided.
CREATE FUNCTION reviews_case_ends_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.closed_by_id IS NOT NULL AND OLD.closed_by_id IS NULL AND NOT EXISTS (
        SELECT FROM public.reviews_decision AS decision
        WHERE decision.case_id = NEW.id
            AND decision.round = NEW.round
            AND decision.is_final
            AND decision.by_id = NEW.closed_by_id
            AND decision.choice = NEW.choice
    ) THEN
        RAISE EXCEPTION 'A case is closed as somebody decided it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_is_closed_as_decided';
    END IF;
    IF NEW.donor_key NOT IN ('', OLD.donor_key) THEN
        RAISE EXCEPTION 'Whose gift it is, is forgotten or stays.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_is_of_its_donor';
    END IF;
    IF NEW.round < OLD.round THEN
        RAISE EXCEPTION 'What was decided in a round stays.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'case_goes_on';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_case_ends BEFORE UPDATE ON reviews_case
    FOR EACH ROW EXECUTE FUNCTION reviews_case_ends_v1();
ALTER TABLE reviews_case ENABLE ALWAYS TRIGGER reviews_case_ends;

-- Two people decide what moves or frees much money; what changes nothing (`close`, `keep`) takes
-- one, however much the case is about.
--
-- The case's row is locked first, so that two who decide at once see each other; that holds only
-- where every statement sees what was committed before it.
CREATE FUNCTION reviews_decision_counts_v1() RETURNS trigger
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

CREATE TRIGGER reviews_decision_counts BEFORE INSERT ON reviews_decision
    FOR EACH ROW EXECUTE FUNCTION reviews_decision_counts_v1();
ALTER TABLE reviews_decision ENABLE ALWAYS TRIGGER reviews_decision_counts;

-- What the staff did in the admin stays, too.
REVOKE UPDATE, DELETE, TRUNCATE ON django_admin_log FROM {application};
CREATE TRIGGER reviews_refuse BEFORE UPDATE OR DELETE ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE django_admin_log ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE django_admin_log ENABLE ALWAYS TRIGGER reviews_refuse_truncate;
