-- The settings of a model: the choices of the method, and what is looked at, listed and kept.

-- The settings that are no choice of the method. Runs with different ones can be compared, unless
-- other figures are kept of them.
CREATE FUNCTION @extschema@._settings()
RETURNS TABLE (place int, setting name, definition text, changes_figures boolean,
               is_of_changed_at boolean, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        (1, 'as_of'::name, $sql$timestamptz CHECK (isfinite(as_of))$sql$, false, false,
         'the time that results shall be of; null: that of the refresh'),
        (2, 'pass_mark', $sql$float8 CHECK (pass_mark BETWEEN 0 AND 1)$sql$, false, false,
         'share of the maximum that is expected: of a question in pass_marks, else of all in '
         'settings; '
         'null: the question''s own facility'),
        (3, 'help_need',
         $sql$float8 NOT NULL DEFAULT 0.5 CHECK (help_need BETWEEN 0 AND 1)$sql$, false, false,
         'need from which a student is on the help list'),
        (4, 'missing_share',
         $sql$float8 NOT NULL DEFAULT 0.25 CHECK (missing_share > 0 AND missing_share <= 1)$sql$,
         false, false,
         'share of the due work without a response from which a student is on the check-in list'),
        (5, 'min_group_size', $sql$int NOT NULL DEFAULT 0 CHECK (min_group_size >= 0)$sql$,
         true, false,
         'groups with fewer students of a subject are not named in results'),
        (6, 'keep_runs', $sql$int NOT NULL DEFAULT 400 CHECK (keep_runs >= 1)$sql$, false, false,
         'runs that are kept in the log'),
        (7, 'keep_history', $sql$int NOT NULL DEFAULT 100 CHECK (keep_history >= 1)$sql$,
         false, false,
         'refreshes whose students are kept in history'),
        (8, 'keep_alerts',
         $sql$interval NOT NULL DEFAULT '1 year' CHECK (keep_alerts > '0')$sql$, false, false,
         'how long alerts that have ended are kept'),
        (9, 'late_commit',
         $sql$interval NOT NULL DEFAULT '1 hour' CHECK (late_commit >= '0')$sql$, false, true,
         'how long before the last change seen rows are looked at again'),
        (10, 'compare_counts', $sql$boolean NOT NULL DEFAULT true$sql$, false, true,
         'whether a refresh compares the rows of each period with what is stored');
END;
COMMENT ON FUNCTION @extschema@._settings() IS
'internal: the settings that are no choice of the method';

-- What choices of the method mean, the core says, but for which responses count at all.
CREATE FUNCTION @extschema@._settings_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 'singleton'::name, 'there is but one row'
    UNION ALL
    -- Elsewhere as_of is the time that results are of.
    SELECT CASE s.setting WHEN 'as_of' THEN 'settings.as_of' ELSE s.setting END, s.about
    FROM   @extschema@._settings() s
    UNION ALL
    SELECT o.option, t.about
    FROM   @extschema@._options() o JOIN @extschema@._option_table() t ON t.option = o.option
    UNION ALL
    VALUES
        ('attempts'::name, 'which of several attempts counts: first, last or best of each '
                           'question; first_attempt, last_attempt or best_attempt as a whole'),
        ('exclude', 'assessments to leave out, as text'),
        ('exclude_items', 'questions that do not count, as text; they stay on the list, with the '
                          'status excluded'),
        ('out_of_range', 'what becomes of a score beyond its scale: exclude, or clip to its end'),
        ('missing_max', 'what becomes of points without a maximum: exclude, or observed: the most '
                        'that anybody had stands in for it'),
        ('blanks', 'what blank answers count as: ignore, zero, or zero_before_last_answer: zero '
                   'where a later question of the sitting was answered'),
        ('definition.source', 'the name of the source, with its schema'),
        ('arguments', 'the arguments of assess.create_model()'),
        ('grants', 'privileges on the relations of the model that were granted to other roles');
END;
COMMENT ON FUNCTION @extschema@._settings_columns() IS
'internal: what the columns of settings mean';

-- {settings} is made of _settings() and _options(). The table definition is what attach() goes by.
CREATE FUNCTION @extschema@._settings_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('settings'::name, NULL::text[],
     $sql$(singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), {settings})$sql$,
     NULL, NULL),
    ('definition', NULL,
     $sql$(singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
           source text NOT NULL, arguments jsonb NOT NULL, grants jsonb NOT NULL DEFAULT '[]',
           method_version int NOT NULL DEFAULT @extschema@.method_version())$sql$,
     NULL, NULL);
END;
COMMENT ON FUNCTION @extschema@._settings_definitions() IS
'internal: how the settings of a model are made';
