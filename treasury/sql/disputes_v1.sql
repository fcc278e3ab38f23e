-- Keys of the tenants' tables start with the organisation, so that they can be distributed by it.
ALTER TABLE treasury_dispute
    DROP CONSTRAINT treasury_dispute_pkey, ADD PRIMARY KEY (organisation_id, id);
CREATE INDEX dispute_by_id ON treasury_dispute (id);
REVOKE ALL ON treasury_dispute FROM {application};
GRANT SELECT, INSERT, UPDATE ON treasury_dispute TO {application};

-- What was told of a dispute is replaced by what was told later alone, whoever writes.
CREATE FUNCTION treasury_dispute_goes_on_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.organisation_id, NEW.stripe_id) <> (OLD.organisation_id, OLD.stripe_id)
        OR NEW.told_at < OLD.told_at
    THEN
        RAISE EXCEPTION 'What was told of a dispute is not taken back.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dispute_goes_on';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER treasury_dispute_goes_on
    BEFORE UPDATE ON treasury_dispute
    FOR EACH ROW EXECUTE FUNCTION treasury_dispute_goes_on_v1();
ALTER TABLE treasury_dispute ENABLE ALWAYS TRIGGER treasury_dispute_goes_on;
