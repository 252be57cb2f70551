-- What a run keeps for later: its students, and the grants that attach() restores.

-- Who was granted what on the relations of a model, but for its owner.
CREATE FUNCTION @extschema@._grants(model name) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'relation', g.relname, 'attribute', g.attname, 'privilege', e.privilege_type,
               'grantee', CASE WHEN e.grantee <> 0 THEN pg_catalog.pg_get_userbyid(e.grantee) END,
               'grantable', e.is_grantable)
               ORDER BY g.relname, g.attname, e.privilege_type, e.grantee),
               '[]')
    FROM  (SELECT c.relname, NULL::name AS attname, c.relowner, c.relacl AS acl
           FROM   pg_catalog.pg_class c
           WHERE  c.relnamespace = @extschema@._schema(model)
           UNION  ALL
           SELECT c.relname, a.attname, c.relowner, a.attacl
           FROM   pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
           WHERE  c.relnamespace = @extschema@._schema(model) AND NOT a.attisdropped) g
    CROSS  JOIN LATERAL pg_catalog.aclexplode(g.acl) e
    WHERE  e.grantee <> g.relowner
    AND    g.relname IN (SELECT r.relation FROM @extschema@._relations() r);
END;
COMMENT ON FUNCTION @extschema@._grants(name) IS
'internal: who was granted what on the relations of a model';

-- Keeps what attach() needs and the views alone know, also of those that are missing. A source that
-- was renamed keeps its model.
CREATE FUNCTION @extschema@._record(model name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format(
        'UPDATE %I.definition d
         SET    grants = $1 || (SELECT coalesce(jsonb_agg(g), ''[]'')
                                FROM jsonb_array_elements(d.grants) g
                                WHERE to_regclass(format(''%%I.%%I'', $3,
                                                         g ->> ''relation'')) IS NULL),
                source = CASE WHEN to_regclass(d.source) IS NULL THEN $2 ELSE d.source END',
        model) USING @extschema@._grants(model),
                     @extschema@._name(@extschema@._source(@extschema@._schema(model))), model;
END $$;
COMMENT ON FUNCTION @extschema@._record(name) IS 'internal: keeps what attach() needs';

-- Keeps the students of a run for compare_runs(), for as many runs as the settings ask for.
CREATE FUNCTION @extschema@._keep_run(model name, run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    list text;
BEGIN
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO list
    FROM   pg_attribute a
    WHERE  a.attrelid = format('%I.history', model)::regclass
    AND    a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('run_id', 'row_id');
    EXECUTE format('INSERT INTO %1$I.history (run_id, %2$s) SELECT $1, %2$s FROM %1$I.students',
                   model, list) USING run;
    EXECUTE format(
        'DELETE FROM %1$I.history h
         WHERE h.run_id <= (SELECT max(k.run_id) FROM
             (SELECT l.run_id, row_number() OVER (ORDER BY l.run_id DESC) AS place
              FROM %1$I.run_log l WHERE l.status = ''succeeded'' OR l.run_id = $1) k
             WHERE k.place > (SELECT c.keep_history FROM %1$I.settings c))
         OR NOT EXISTS (SELECT FROM %1$I.run_log l WHERE l.run_id = h.run_id)', model) USING run;
END $$;
COMMENT ON FUNCTION @extschema@._keep_run(name, bigint) IS
'internal: keeps the students of a run';
