-- The place `stripe` of a public organisation's ledger is the balance of one Stripe account, for
-- ever: once there is a ledger, its account is neither exchanged nor taken away.
CREATE FUNCTION organisations_keep_account_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF old.status = 'approved' AND old.stripe_account IS NOT NULL
        AND new.stripe_account IS DISTINCT FROM old.stripe_account THEN
        RAISE EXCEPTION 'the ledger of % belongs to its Stripe account', old.slug
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END
$$;

CREATE TRIGGER organisations_keep_account
BEFORE UPDATE OF stripe_account ON organisations_organisation
FOR EACH ROW EXECUTE FUNCTION organisations_keep_account_v1();

ALTER TABLE organisations_organisation ENABLE ALWAYS TRIGGER organisations_keep_account;
