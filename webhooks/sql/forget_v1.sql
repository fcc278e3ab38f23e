-- Who paid is known to the gift once an event was acted on; the event need not know it any longer.
CREATE FUNCTION webhooks_without_person_v1(payload jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_set(payload, '{data,object}', (payload #> '{data,object}') - ARRAY[
        'address', 'billing_details', 'collected_information', 'customer_address',
        'customer_details', 'customer_email', 'customer_name', 'customer_phone',
        'customer_shipping', 'email', 'evidence', 'name', 'phone', 'receipt_email', 'shipping',
        'shipping_details'
    ]) #- '{data,object,last_payment_error,payment_method}' #- '{data,previous_attributes}'
$$;
