-- Promises to the members of an organisation: it is never left without an owner, and the log of
-- who became what stays as it was written.

-- Refuses to let the last owner go, by UPDATE or DELETE, however many rows at a time.
--
-- The owners who stay are locked. So of two that remove each other at once, one waits and then
-- finds nobody (or, in a transaction that sees an older state, fails to lock who is gone).
CREATE FUNCTION organisations_keep_owner_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.organisations_membership
    WHERE organisation_id = OLD.organisation_id AND role = 'owner' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organisation % would be left without an owner', OLD.organisation_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_keeps_an_owner',
                TABLE = 'organisations_membership';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER organisations_owner_goes AFTER DELETE ON organisations_membership
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION organisations_keep_owner_v1();
CREATE TRIGGER organisations_owner_changes AFTER UPDATE ON organisations_membership
    FOR EACH ROW WHEN (
        OLD.role = 'owner'
        AND (NEW.role, NEW.organisation_id) IS DISTINCT FROM (OLD.role, OLD.organisation_id)
    )
    EXECUTE FUNCTION organisations_keep_owner_v1();
ALTER TABLE organisations_membership ENABLE ALWAYS TRIGGER organisations_owner_goes;
ALTER TABLE organisations_membership ENABLE ALWAYS TRIGGER organisations_owner_changes;

-- Refuses what would empty a table or change what is written, to its owner as well.
CREATE FUNCTION organisations_refuse_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER organisations_members_stay BEFORE TRUNCATE ON organisations_membership
    FOR EACH STATEMENT EXECUTE FUNCTION organisations_refuse_v1();
CREATE TRIGGER organisations_change_stays
    BEFORE UPDATE OR DELETE OR TRUNCATE ON organisations_membershipchange
    FOR EACH STATEMENT EXECUTE FUNCTION organisations_refuse_v1();
ALTER TABLE organisations_membership ENABLE ALWAYS TRIGGER organisations_members_stay;
ALTER TABLE organisations_membershipchange ENABLE ALWAYS TRIGGER organisations_change_stays;

REVOKE ALL ON organisations_membershipchange FROM PUBLIC, {application};
GRANT SELECT, INSERT ON organisations_membershipchange TO {application};
