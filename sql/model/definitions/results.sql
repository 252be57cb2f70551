-- The results of a model: what the functions of a gradebook say, one row for each of what they are
-- of.

-- {students} and the like are the calls, made by _calls().
CREATE FUNCTION @extschema@._results_definitions() RETURNS TABLE (
    relation name, tracking text[], definition text, alterations text, unique_by text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
    ('questions'::name, NULL::text[],
     $sql$AS SELECT g.subject, i.item::{item_type} AS item, {item_columns},
                    g.run_id, g.as_of, g.method_version
             FROM {model}.gradebook g CROSS JOIN {model}.settings o
             CROSS JOIN LATERAL {items} i$sql$,
     NULL, 'item, subject'),
    ('students', NULL,
     $sql$AS SELECT g.subject, s.student::{student_type} AS student,
                    {named_group} AS student_group, {student_columns},
                    g.run_id, g.as_of, g.method_version
             FROM {model}.gradebook g CROSS JOIN {model}.settings o
             CROSS JOIN LATERAL {students} s {membership}$sql$,
     NULL, 'student, subject'),
    ('assessments', NULL,
     $sql$AS SELECT g.subject, a.assessment::{assessment_type} AS assessment, {assessment_columns},
                    g.run_id, g.as_of, g.method_version
             FROM {model}.gradebook g CROSS JOIN {model}.settings o
             CROSS JOIN LATERAL {assessments} a$sql$,
     NULL, 'assessment, subject'),
    ('coverage', NULL,
     $sql$AS SELECT g.subject, c.reason, c.rows, g.run_id, g.as_of, g.method_version
             FROM {model}.gradebook g CROSS JOIN {model}.settings o
             CROSS JOIN LATERAL {coverage} c$sql$,
     NULL, 'subject, reason');
END;
COMMENT ON FUNCTION @extschema@._results_definitions() IS
'internal: how the results of a model are made';

CREATE FUNCTION @extschema@._results_columns() RETURNS TABLE (attribute name, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        ('student_group'::name, 'the school, class or other group of the student''s latest '
                                'response '
                                'up to as_of'),
        ('level', 'current level, difficulty of the questions taken out; mostly 0 to 1'),
        ('level_se', 'standard error of the level'),
        ('ci_low', 'lower end of the interval of the level'),
        ('ci_high', 'upper end of the interval of the level'),
        ('raw_level', 'plain scores under the weights of the level'),
        ('prior', 'the level expected without evidence'),
        ('information', 'how much evidence there is, faded to as_of'),
        ('n', 'responses that count'),
        ('assessments', 'assessments that the responses belong to'),
        ('first_at', 'time of the first response that counts'),
        ('last_at', 'time of the last response that counts'),
        ('slope', 'change of the score in 30 days'),
        ('slope_se', 'standard error of the slope'),
        ('trend_p', 'two-sided p-value of no change'),
        ('trend', 'falling, unclear, steady or rising'),
        ('trend_rank', '1 falling to 4 rising'),
        ('need', 'probability that the level lies below the cut, 0 to 1'),
        ('need_rank', '1 for the greatest need of the subject'),
        ('due', 'assessments that were due'),
        ('missing', 'due assessments that were not taken'),
        ('status', 'how far the level can be trusted: ok, provisional, stale, or none where there '
                   'is '
                   'no evidence'),
        ('status_rank', 'rank of the status; 1 asks for attention first'),
        ('omitted', 'questions left blank, whether or not they count'),
        ('waiting', 'questions whose mark is still to come, or that are held back until most are '
                    'marked'),
        -- Those of questions.
        ('n_effective', 'effective number of answers that can be judged'),
        ('facility', 'mean score; the easier, the higher'),
        ('r_rest', 'correlation of the score with the student''s other scores'),
        ('discrimination', 'the same, drawn towards what is likely'),
        ('discrimination_se', 'standard error of the discrimination'),
        ('somers_d', 'separation of strong and weak by order alone, -1 to 1'),
        ('discrimination_index', 'mean score of the strongest less that of the weakest'),
        ('weight', 'what answers to the question weigh in a level'),
        ('label', 'verdict on the discrimination: very_good, good, marginal, poor or negative'),
        ('questions.assessments', 'assessments that used the question'),
        ('questions.ci_low', 'lower end of the interval of the discrimination'),
        ('questions.ci_high', 'upper end of the interval of the discrimination'),
        ('questions.status', 'flawed, suspect, truncated, total, no_variance, waiting, '
                             'insufficient, provisional, usable, stable, or excluded where '
                             'somebody said that the question does not count'),
        ('left_out', 'rows of the question that do not count, as something is wrong with them'),
        ('blank', 'rows of the question that were left blank'),
        ('questions.waiting', 'rows of the question that wait for their mark, or for that of most'),
        -- Those of assessments and of coverage.
        ('items', 'questions with a score that counts'),
        ('students', 'students with a score that counts'),
        ('mean', 'mean of the students'' mean scores'),
        ('sd', 'standard deviation of the students'' mean scores'),
        ('alpha', 'Cronbach''s alpha of as many questions as a student answers'),
        ('alpha_se', 'standard error of alpha'),
        ('sem', 'standard error of measurement of a mean score'),
        ('alpha_status', 'ok, or why there is no alpha: no_scores, one_question, one_student, '
                         'too_many_questions, nothing_shared, few_shared or no_variance'),
        ('assessments.omitted', 'answers left blank, whether or not they count'),
        ('assessments.waiting', 'answers whose mark is still to come, or that are held back until '
                                'most are marked'),
        ('reason', 'used, or why rows were left out');
END;
COMMENT ON FUNCTION @extschema@._results_columns() IS 'internal: what the columns of results mean';
