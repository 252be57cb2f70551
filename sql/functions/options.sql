-- The choices of the method, as the core lists them (src/core/options.rs).

CREATE FUNCTION @extschema@._option_table()
RETURNS TABLE (option text, default_value text, range text, about text)
LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 40 AS 'MODULE_PATHNAME', 'option_table_wrapper';
COMMENT ON FUNCTION @extschema@._option_table() IS 'internal: the options of the core';

CREATE FUNCTION @extschema@.options()
RETURNS TABLE (option text, type text, default_value text, range text, about text,
    functions text[])
LANGUAGE sql STABLE PARALLEL SAFE ROWS 40
BEGIN ATOMIC
    SELECT o.option, a.type, o.default_value, o.range, o.about, a.functions
    FROM   @extschema@._option_table() WITH ORDINALITY o(option, default_value, range, about, place)
    LEFT JOIN (
        SELECT n.name, min(pg_catalog.format_type(p.proargtypes[n.place - 1], NULL)) AS type,
               array_agg(p.proname::text ORDER BY p.proname) AS functions
        FROM   pg_catalog.pg_proc p
        CROSS JOIN unnest(p.proargnames[:p.pronargs]) WITH ORDINALITY n(name, place)
        WHERE  p.pronamespace = '@extschema@'::pg_catalog.regnamespace
        AND    p.proargnames[1] = 'gradebook' AND NOT pg_catalog.starts_with(p.proname::text, '_')
        GROUP  BY n.name
    ) a ON a.name = o.option
    ORDER  BY o.place;
END;
COMMENT ON FUNCTION @extschema@.options() IS
'every option of the functions over a gradebook: default, range, what it means, and which '
'functions take it';
