-- Who acts for an account, and whose bank account it is, is told with the account's own events.
CREATE FUNCTION webhooks_without_person_v2(payload jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT public.webhooks_without_person_v1(payload)
        #- '{data,object,individual}' #- '{data,object,company}'
        #- '{data,object,external_accounts}' #- '{data,object,account_holder_name}'
        #- '{data,object,tos_acceptance}' #- '{data,object,business_profile}'
$$;
