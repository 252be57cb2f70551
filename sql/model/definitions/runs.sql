-- The log of a model's runs, and what a run leaves for later ones.

CREATE FUNCTION @extschema@._runs_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('run_log'::name, NULL::text[],
     $sql$(run_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
           started timestamptz NOT NULL DEFAULT clock_timestamp(),
           finished timestamptz,
           status text NOT NULL DEFAULT 'running'
               CHECK (status IN ('running', 'succeeded', 'failed')),
           as_of timestamptz,
           time_zone text NOT NULL DEFAULT current_setting('TimeZone'),
           rows_used bigint,
           rows_excluded jsonb,
           settings jsonb,
           steps jsonb,
           periods int,
           sqlstate text,
           error text,
           pid int NOT NULL DEFAULT pg_backend_pid(),
           method_version int NOT NULL DEFAULT @extschema@.method_version())$sql$,
     NULL, NULL),
    ('runs', NULL,
     $sql$AS SELECT l.run_id, l.started, l.finished,
                    extract(epoch FROM l.finished - l.started)::float8 AS seconds,
                    CASE WHEN l.broken_off IS NULL THEN l.status ELSE 'failed' END AS status,
                    l.as_of, l.rows_used, l.rows_excluded, l.settings, l.steps, l.periods,
                    coalesce(l.broken_off, l.sqlstate) AS sqlstate,
                    coalesce(@extschema@._broken_off_error(l.broken_off), l.error) AS error,
                    l.method_version
             FROM  (SELECT g.*, @extschema@._broken_off(g.tableoid, g.status, g.pid, g.started)
                                    AS broken_off
                    FROM {model}.run_log g OFFSET 0) l$sql$,
     NULL, NULL),
    ('history', NULL,
     $sql$AS SELECT s.run_id, s.subject, s.student, s.level, s.level_se, s.need, s.need_rank,
                    s.trend, s.status, s.n, s.as_of
             FROM {model}.students s WITH NO DATA$sql$,
     $sql$ADD row_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY$sql$,
     'run_id, subject, student');
END;
COMMENT ON FUNCTION @extschema@._runs_definitions() IS 'internal: how the log of a model is made';

CREATE FUNCTION @extschema@._runs_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        ('run_id'::name, 'the run of assess.refresh() that made the row, see runs; null when it '
                         'was '
                         'refreshed by hand'),
        ('method_version', 'assess.method_version() at that time'),
        ('started', 'when the run began'),
        ('finished', 'when it ended; null while it runs, and of runs that were killed'),
        ('seconds', 'how long it took; null where it has no end'),
        ('rows_used', 'rows of the source that count'),
        ('rows_excluded', 'rows left out, by reason'),
        ('settings', 'the settings it ran with'),
        ('steps', 'milliseconds of each step'),
        ('periods', 'periods that were aggregated again; null where changes are not tracked'),
        ('sqlstate', 'the code of the error'),
        ('error', 'why it failed'),
        ('pid', 'the server process that ran it'),
        ('runs.run_id', 'counts the runs'),
        ('runs.status', 'running, succeeded or failed'),
        ('run_log.run_id', 'counts the runs'),
        ('run_log.status', 'running, succeeded or failed; also running where it was killed, see '
                           'runs'),
        ('history.run_id', 'the run, see runs');
END;
COMMENT ON FUNCTION @extschema@._runs_columns() IS 'internal: what the columns of a log mean';
