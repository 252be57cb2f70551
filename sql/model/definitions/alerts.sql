-- The rules of alerts, the alerts, and what they compare one run with another by.

-- {rules}, {ranges} and {units} are made of the list of rules.
CREATE FUNCTION @extschema@._alerts_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('alert_rules'::name, NULL::text[],
     $sql$(rule text PRIMARY KEY CONSTRAINT rule_is_known CHECK (rule IN ({rules})),
           threshold float8 NOT NULL CONSTRAINT threshold_is_in_range
               CHECK (CASE rule {ranges} END),
           unit text GENERATED ALWAYS AS (CASE rule {units} END) STORED,
           enabled boolean NOT NULL DEFAULT true,
           about text)$sql$,
     NULL, NULL),
    ('alerts', NULL,
     $sql$(alert_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
           raised timestamptz NOT NULL DEFAULT clock_timestamp(),
           ended timestamptz,
           run_id bigint,
           rule text NOT NULL,
           subject text,
           student_group text,
           item text,
           value float8,
           threshold float8,
           message text NOT NULL)$sql$,
     NULL, NULL),
    ('run_figures', NULL,
     $sql$(run_id bigint NOT NULL,
           figure text NOT NULL CHECK (figure IN ('level', 'reported_level', 'left_out')),
           subject text,
           student_group text,
           size bigint NOT NULL,
           value float8 NOT NULL,
           value_se float8,
           as_of timestamptz NOT NULL,
           row_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
           UNIQUE NULLS NOT DISTINCT (run_id, figure, subject, student_group))$sql$,
     NULL, NULL);
END;
COMMENT ON FUNCTION @extschema@._alerts_definitions() IS
'internal: how the tables of a model''s alerts are made';

CREATE FUNCTION @extschema@._alerts_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        ('rule'::name, 'the rule, see alert_rules'),
        ('threshold', 'what the rule allows, in its unit'),
        ('unit', 'what the threshold is measured in'),
        ('enabled', 'whether the rule raises alerts'),
        ('about', 'when the rule holds'),
        ('alert_id', 'counts the alerts'),
        ('raised', 'when the alert was raised'),
        ('ended', 'when it was found to hold no longer; null while it holds'),
        ('value', 'the figure, in the unit of its threshold where it has one'),
        ('value_se', 'standard error of the figure'),
        ('message', 'the alert as a sentence'),
        ('figure', 'level: mean level of the group; reported_level: what it is compared with; '
                   'left_out: share of the rows'),
        ('size', 'students or rows that the figure is of'),
        ('run_figures.run_id', 'the run, see runs'),
        ('run_figures.student_group', 'the group that the figure is of; null: of all, or of those '
                                      'not '
                                      'named'),
        ('alerts.run_id', 'the run that raised it, or that failed; null where a refresh is '
                          'overdue'),
        ('alerts.subject', 'the subject that it is about, as text'),
        ('alerts.student_group', 'the group that it is about, as text'),
        ('alerts.item', 'the question that it is about, as text');
END;
COMMENT ON FUNCTION @extschema@._alerts_columns() IS 'internal: what the columns of alerts mean';
