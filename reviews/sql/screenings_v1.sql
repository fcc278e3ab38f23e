-- What rules found, and with which parameters they ran. For any client that is not a superuser:
-- screenings stay, and a rule's parameters are what two people agreed on.

REVOKE ALL ON reviews_screening, reviews_attempt, reviews_ruleversion FROM {application};
GRANT SELECT, INSERT ON reviews_screening, reviews_ruleversion TO {application};
GRANT SELECT, INSERT, DELETE ON reviews_attempt TO {application};
GRANT UPDATE (address, session, email, card, name) ON reviews_attempt TO {application};
GRANT UPDATE (backtest, activated_by_id, activated_at, withdrawn_at)
    ON reviews_ruleversion TO {application};

CREATE TRIGGER reviews_refuse BEFORE UPDATE OR DELETE ON reviews_screening
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews_screening
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE reviews_screening ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE reviews_screening ENABLE ALWAYS TRIGGER reviews_refuse_truncate;

-- What a trait of a visitor was can be forgotten, and nothing else of an attempt changes.
CREATE FUNCTION reviews_attempt_forgets_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.address NOT IN ('', OLD.address)
        OR NEW.session NOT IN ('', OLD.session)
        OR NEW.email NOT IN ('', OLD.email)
        OR NEW.card NOT IN ('', OLD.card)
        OR NEW.name NOT IN ('', OLD.name)
    THEN
        RAISE EXCEPTION 'What is known of an attempt is forgotten or stays.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_stays';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_attempt_forgets BEFORE UPDATE ON reviews_attempt
    FOR EACH ROW EXECUTE FUNCTION reviews_attempt_forgets_v1();
ALTER TABLE reviews_attempt ENABLE ALWAYS TRIGGER reviews_attempt_forgets;

CREATE FUNCTION reviews_rule_goes_on_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.activated_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL)
        OR TG_OP = 'UPDATE' AND (OLD.activated_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL)
    THEN
        RAISE EXCEPTION 'A rule is proposed first, and what was decided of it stays.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_version_goes_on';
    END IF;
    IF EXISTS (
        SELECT FROM public.organisations_membership AS membership
        WHERE membership.organisation_id = NEW.organisation_id
            AND membership.user_id IN (NEW.proposed_by_id, NEW.activated_by_id)
    ) THEN
        RAISE EXCEPTION 'Nobody sets the rules of their own organisation.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_version_is_of_others';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER reviews_rule_goes_on BEFORE INSERT OR UPDATE ON reviews_ruleversion
    FOR EACH ROW EXECUTE FUNCTION reviews_rule_goes_on_v1();
CREATE TRIGGER reviews_refuse BEFORE DELETE ON reviews_ruleversion
    FOR EACH ROW EXECUTE FUNCTION reviews_refuse_v1();
CREATE TRIGGER reviews_refuse_truncate BEFORE TRUNCATE ON reviews_ruleversion
    FOR EACH STATEMENT EXECUTE FUNCTION reviews_refuse_v1();
ALTER TABLE reviews_ruleversion ENABLE ALWAYS TRIGGER reviews_rule_goes_on;
ALTER TABLE reviews_ruleversion ENABLE ALWAYS TRIGGER reviews_refuse;
ALTER TABLE reviews_ruleversion ENABLE ALWAYS TRIGGER reviews_refuse_truncate;

-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE reviews_screening
    DROP CONSTRAINT reviews_screening_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX screening_by_id ON reviews_screening (id);
ALTER TABLE reviews_attempt
    DROP CONSTRAINT reviews_attempt_pkey, ADD PRIMARY KEY (organisation_id, id);
