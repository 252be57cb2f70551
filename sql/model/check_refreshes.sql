-- Refreshes that failed or never began, for a scheduler to ask for.

-- Why the log of a model cannot be written; null where it can. A row is written and taken back. A
-- trigger that can be deferred may only fire at the end of the transaction, which is the caller's:
-- then it is not tried.
CREATE FUNCTION @extschema@._unwritable_log(model name) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I.run_log IN ROW EXCLUSIVE MODE NOWAIT', model);
    IF EXISTS (SELECT FROM pg_trigger t
               WHERE t.tgrelid = to_regclass(format('%I.run_log', model)) AND t.tgdeferrable) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('INSERT INTO %I.run_log (run_id) OVERRIDING SYSTEM VALUE VALUES (-1)', model);
    EXECUTE format('UPDATE %I.run_log SET status = ''failed'' WHERE run_id = -1', model);
    EXECUTE format('DELETE FROM %I.run_log WHERE run_id = -1', model);
    RAISE SQLSTATE 'AS000';
EXCEPTION
    WHEN SQLSTATE 'AS000' THEN
        RETURN NULL;
    WHEN OTHERS THEN
        RETURN format('%s (%s)', SQLERRM, SQLSTATE);
END $$;
COMMENT ON FUNCTION @extschema@._unwritable_log(name) IS
'internal: why the log of a model cannot be written';

-- A refresh that never begins reports nothing: this is for a scheduler to call. It waits for
-- nobody's lock. It only reads models of other owners, with care, and where the caller may act for
-- their owner it checks as the owner whether their log can be written. That runs triggers: after
-- one that is cancelled, or runs into a timeout, no other log is tried.
CREATE FUNCTION @extschema@.check_refreshes()
RETURNS TABLE (model name, rule text, message text, value float8, threshold float8)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
SET lock_timeout = '100ms' AS $$
#variable_conflict use_variable
DECLARE
    target record;
    acts boolean;
    tries boolean := NOT current_setting('transaction_read_only')::boolean;
    findings jsonb;
    failure text;
BEGIN
    FOR target IN
        SELECT n.nspname AS model, n.oid AS schema,
               min(t.relowner) FILTER (WHERE t.relname = 'run_log') AS owner,
               count(*) FILTER (WHERE t.relname IN ('run_log', 'alert_rules')) = 2
                   AS can_be_looked_at,
               count(*) FILTER (WHERE t.relname IN ('alerts', 'settings')) = 2 AS can_keep_alerts
        FROM   @extschema@._models() m(schema)
        JOIN   pg_namespace n ON n.oid = m.schema
        LEFT   JOIN pg_class t ON t.relnamespace = n.oid
                               AND t.relname IN ('run_log', 'alert_rules', 'alerts', 'settings')
        WHERE  has_schema_privilege(n.oid, 'USAGE')
        GROUP  BY n.oid, n.nspname
        HAVING coalesce(bool_and(t.relname NOT IN ('run_log', 'alert_rules')
                                 OR has_table_privilege(t.oid, 'SELECT')), true)
        ORDER  BY n.nspname
    LOOP
        findings := '[]';
        failure := NULL;
        -- A role that owns only a part could have put code there.
        acts := @extschema@._may_act_for(target.owner)
                AND (@extschema@._foreign_part(target.schema, target.owner)).what IS NULL;
        <<look>>
        BEGIN
            EXIT look WHEN NOT target.can_be_looked_at;
            -- They cannot change from here on.
            EXECUTE format('LOCK TABLE ONLY %1$I.run_log, ONLY %1$I.alert_rules
                            IN ACCESS SHARE MODE NOWAIT', target.model);
            CONTINUE WHEN NOT (acts AND target.owner = @extschema@._caller())
                          AND NOT @extschema@._is_plain(target.schema, 'run_log', 'alert_rules');
            findings := coalesce(@extschema@._look(target.owner, format(
                'SELECT @extschema@._alert_found_of_runs(%L)', target.model)), '[]');
            IF tries AND acts AND target.can_keep_alerts
               AND target.owner = @extschema@._caller() THEN
                PERFORM @extschema@._as_owner(target.owner, format(
                    'LOCK TABLE %I.alerts IN SHARE ROW EXCLUSIVE MODE NOWAIT', target.model));
                PERFORM @extschema@._as_owner(target.owner, format(
                    'SELECT @extschema@._alert_raise(%L, ''{refresh_failed,refresh_overdue}'', '
                    '%L, false)',
                    target.model, findings));
            END IF;
            IF tries AND acts THEN
                failure := 'The log of its refreshes cannot be written: '
                    || @extschema@._as_owner(target.owner, format(
                           'SELECT @extschema@._unwritable_log(%L)', target.model));
            END IF;
        EXCEPTION
            WHEN query_canceled THEN
                tries := false;
                failure := 'Its refreshes could not be checked: ' || SQLERRM;
            WHEN OTHERS OR assert_failure THEN
                failure := 'Its refreshes could not be checked: ' || SQLERRM;
        END;
        RETURN QUERY
            SELECT target.model, f.rule, f.message, f.value, f.threshold
            FROM   jsonb_to_recordset(findings) AS f(rule text, message text, value float8,
                                                     threshold float8)
            UNION  ALL
            SELECT target.model, 'broken',
                format('The model is broken: %s. %s', b.why, @extschema@._mending(target.model)),
                   NULL, NULL
            FROM   @extschema@._broken(target.schema) AS b(why) WHERE b.why IS NOT NULL
            UNION  ALL
            SELECT target.model, 'refresh_failed', failure || '.', NULL, NULL
                WHERE failure IS NOT NULL;
    END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.check_refreshes() IS
'failed and overdue refreshes of the models one may read; of one''s own it also keeps and reports '
'the alerts, once; for a scheduler';
