-- Stops an upgrade where two people have one e-mail address but for its case, and says what to do:
-- which of them signs in could not be told.
DO $$
DECLARE
    people text;
BEGIN
    SELECT string_agg(ids, '; ') INTO people FROM (
        SELECT string_agg(id, ' and ' ORDER BY created_at) AS ids
        FROM public.organisations_user GROUP BY upper(email) HAVING count(*) > 1
    ) AS doubled;
    IF people IS NOT NULL THEN
        RAISE EXCEPTION 'people with one e-mail address that differs only by case: %', people
            USING ERRCODE = 'unique_violation',
                HINT = 'Give one of each another address in the admin, then migrate again.';
    END IF;
END
$$;
