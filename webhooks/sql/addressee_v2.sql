-- As inbox_v1, and applicants hear of their own Stripe account: what it needs, and that it is gone.

-- Returns the organisation that an event of an account is worked on for, or NULL and a note on why
-- it is not. A note that is given is a reason already, and is returned as it is.
CREATE FUNCTION webhooks_addressee_v2(
    account text, type text, INOUT note text, OUT organisation text
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id text;
    found_status text;
BEGIN
    IF note <> '' THEN
        RETURN;
    END IF;

    SELECT tenant.id, tenant.status INTO found_id, found_status
    FROM public.organisations_organisation AS tenant
    WHERE tenant.stripe_account = account;

    IF found_id IS NULL THEN
        note := 'unknown account';
    ELSIF found_status = 'approved' OR (
        found_status IN ('draft', 'applied') AND type IN (
            'account.updated', 'capability.updated', 'account.application.deauthorized'
        )
    ) THEN
        organisation := found_id;
    ELSE
        note := 'organisation is not approved';
    END IF;
END
$$;

-- Stores an event, to be worked on or ignored with a note, and returns that note; or changes
-- nothing and returns NULL, when there is one with its id.
CREATE FUNCTION webhooks_take_in_v2(
    id text, account text, type text, livemode boolean, occurred_at timestamptz, payload jsonb,
    received_at timestamptz, INOUT note text
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organisation text;
BEGIN
    SELECT addressee.note, addressee.organisation INTO note, organisation
    FROM public.webhooks_addressee_v2(account, type, note) AS addressee;

    INSERT INTO public.webhooks_stripeevent (
        id, organisation_id, account, type, livemode, occurred_at, payload, received_at,
        status, attempts, next_attempt_at, note
    ) VALUES (
        webhooks_take_in_v2.id, organisation, webhooks_take_in_v2.account,
        webhooks_take_in_v2.type, webhooks_take_in_v2.livemode, webhooks_take_in_v2.occurred_at,
        webhooks_take_in_v2.payload, webhooks_take_in_v2.received_at,
        CASE WHEN organisation IS NULL THEN 'ignored' ELSE 'pending' END, 0,
        webhooks_take_in_v2.received_at, webhooks_take_in_v2.note
    )
    ON CONFLICT DO NOTHING;

    IF NOT FOUND THEN
        note := NULL;
    END IF;
END
$$;

DROP FUNCTION webhooks_take_in_v1(text, text, text, boolean, timestamptz, jsonb, timestamptz, text);
DROP FUNCTION webhooks_addressee_v1(text, text);
