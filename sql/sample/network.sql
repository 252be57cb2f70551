-- The sample network: a school year of invented students with the truth beside it, for trying the
-- extension out and for testing it. The rows come from the C functions, the tables are the user's.

CREATE FUNCTION @extschema@._sample_schools(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (school_id int, name text)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '_sample_schools_wrapper';
COMMENT ON FUNCTION @extschema@._sample_schools(bigint, int, int, int, boolean) IS
'internal: the schools of the sample network';

CREATE FUNCTION @extschema@._sample_students(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (student_id int, school_id int, given_name text, family_name text, grade int)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '_sample_students_wrapper';
COMMENT ON FUNCTION @extschema@._sample_students(bigint, int, int, int, boolean) IS
'internal: the students of the sample network';

CREATE FUNCTION @extschema@._sample_assessments(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (assessment_id int, subject text, title text, kind text, day int)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '_sample_assessments_wrapper';
COMMENT ON FUNCTION @extschema@._sample_assessments(bigint, int, int, int, boolean) IS
'internal: the assessments of the sample network; day 0 is the first of the school year';

CREATE FUNCTION @extschema@._sample_questions(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (question_id int, assessment_id int, number int, kind text, prompt text,
               max_points float8, discrimination float8, difficulty float8, flaw text)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '_sample_questions_wrapper';
COMMENT ON FUNCTION @extschema@._sample_questions(bigint, int, int, int, boolean) IS
'internal: the questions of the sample network with the truth about them';

CREATE FUNCTION @extschema@._sample_responses(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (student_id int, subject text, assessment_id int, question_id int,
               points float8, max_points float8, day int, attempt smallint)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 300000
AS 'MODULE_PATHNAME', '_sample_responses_wrapper';
COMMENT ON FUNCTION @extschema@._sample_responses(bigint, int, int, int, boolean) IS
'internal: the responses of the sample network; day 0 is the first of the school year';

CREATE FUNCTION @extschema@._sample_truth(
    seed bigint, schools int, students_per_school int, weeks int, flawed boolean)
RETURNS TABLE (student_id int, subject text, ability float8, start_ability float8,
               monthly_change float8, path text, story text)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', '_sample_truth_wrapper';
COMMENT ON FUNCTION @extschema@._sample_truth(bigint, int, int, int, boolean) IS
'internal: the truth about the students of the sample network';

-- The schema of a sample, and its tables as any school has them.
CREATE FUNCTION @extschema@._sample_tables(schema_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA %I', schema_name);
    EXECUTE format($ddl$
        COMMENT ON SCHEMA %1$I IS
            'a sample school network made by pg_assess: everybody in it is invented';

        CREATE TABLE %1$I.schools (
            school_id int NOT NULL,
            name text NOT NULL);
        COMMENT ON TABLE %1$I.schools IS 'the schools of the network';
        COMMENT ON COLUMN %1$I.schools.school_id IS 'number of the school, from 1';
        COMMENT ON COLUMN %1$I.schools.name IS 'name of the school, unique';

        CREATE TABLE %1$I.students (
            student_id int NOT NULL,
            school_id int NOT NULL,
            given_name text NOT NULL,
            family_name text NOT NULL,
            grade int NOT NULL);
        COMMENT ON TABLE %1$I.students IS 'everybody enrolled, also those without any response';
        COMMENT ON COLUMN %1$I.students.student_id IS 'number of the student, from 1';
        COMMENT ON COLUMN %1$I.students.school_id IS 'school of the student';
        COMMENT ON COLUMN %1$I.students.given_name IS
            'given name; unique together with family_name';
        COMMENT ON COLUMN %1$I.students.family_name IS 'family name';
        COMMENT ON COLUMN %1$I.students.grade IS
            '5 or 6; both grades sit the same assessments and do not differ in ability';

        CREATE TABLE %1$I.assessments (
            assessment_id int NOT NULL,
            subject text NOT NULL,
            title text NOT NULL,
            kind text NOT NULL,
            given_on date NOT NULL);
        COMMENT ON TABLE %1$I.assessments IS 'sittings of the whole network';
        COMMENT ON COLUMN %1$I.assessments.assessment_id IS
            'number of the assessment, from 1, in order of time';
        COMMENT ON COLUMN %1$I.assessments.subject IS 'ELA, Math or Science';
        COMMENT ON COLUMN %1$I.assessments.title IS
            'title, unique; "Mid-year Math test" is the one with two miskeyed questions';
        COMMENT ON COLUMN %1$I.assessments.kind IS
            'literacy, spelling or fluency in ELA; test or quiz in Math and Science';
        COMMENT ON COLUMN %1$I.assessments.given_on IS 'day of the first attempts';

        CREATE TABLE %1$I.questions (
            question_id int NOT NULL,
            assessment_id int NOT NULL,
            number int NOT NULL,
            kind text NOT NULL,
            prompt text,
            max_points float8 NOT NULL);
        COMMENT ON TABLE %1$I.questions IS 'questions of the assessments';
        COMMENT ON COLUMN %1$I.questions.question_id IS 'number of the question, from 1';
        COMMENT ON COLUMN %1$I.questions.assessment_id IS 'assessment it belongs to';
        COMMENT ON COLUMN %1$I.questions.number IS 'place within the assessment, from 1';
        COMMENT ON COLUMN %1$I.questions.kind IS
            'multiple choice, partial credit, spelling word or words per minute';
        COMMENT ON COLUMN %1$I.questions.prompt IS 'what was asked; null for most questions';
        COMMENT ON COLUMN %1$I.questions.max_points IS
            '1; 2 to 4 with partial credit; Infinity for words per minute, which has no upper '
            'bound';

        CREATE TABLE %1$I.responses (
            student_id int NOT NULL,
            subject text NOT NULL,
            assessment_id int NOT NULL,
            question_id int NOT NULL,
            points float8,
            max_points float8 NOT NULL,
            taken_on date NOT NULL,
            attempt smallint NOT NULL);
        COMMENT ON TABLE %1$I.responses IS
            'one row for each student, question and attempt: the table to build a gradebook from';
        COMMENT ON COLUMN %1$I.responses.student_id IS 'who answered';
        COMMENT ON COLUMN %1$I.responses.subject IS 'subject of the assessment';
        COMMENT ON COLUMN %1$I.responses.assessment_id IS 'in which assessment';
        COMMENT ON COLUMN %1$I.responses.question_id IS 'which question';
        COMMENT ON COLUMN %1$I.responses.points IS
            'points reached, from 0 to max_points; null when left blank or not marked yet';
        COMMENT ON COLUMN %1$I.responses.max_points IS 'points to be had, as in questions';
        COMMENT ON COLUMN %1$I.responses.taken_on IS 'day of the attempt';
        COMMENT ON COLUMN %1$I.responses.attempt IS
            '1, or 2 for a retake, which is 7 to 14 days later';
    $ddl$, schema_name);
END $$;
COMMENT ON FUNCTION @extschema@._sample_tables(name) IS
'internal: the tables of the sample network';

CREATE FUNCTION @extschema@._sample_truth_tables(schema_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format($ddl$
        CREATE TABLE %1$I.truth_students (
            student_id int NOT NULL,
            subject text NOT NULL,
            ability float8 NOT NULL,
            start_ability float8 NOT NULL,
            monthly_change float8 NOT NULL,
            path text NOT NULL,
            story text);
        COMMENT ON TABLE %1$I.truth_students IS
            'what is true of each student in each subject, and no real school can know';
        COMMENT ON COLUMN %1$I.truth_students.student_id IS 'the student';
        COMMENT ON COLUMN %1$I.truth_students.subject IS 'the subject; in ELA it is about literacy';
        COMMENT ON COLUMN %1$I.truth_students.ability IS
            'ability on the last day, in standard deviations of the abilities on the first day';
        COMMENT ON COLUMN %1$I.truth_students.start_ability IS 'ability on the first day';
        COMMENT ON COLUMN %1$I.truth_students.monthly_change IS
            'drift of the ability in 30 days; a small random walk comes on top of it';
        COMMENT ON COLUMN %1$I.truth_students.path IS 'rising, falling or steady';
        COMMENT ON COLUMN %1$I.truth_students.story IS
            'what the student is there to show in this subject (high spelling, low literacy; '
            'falling; rising; new arrival; pending; no responses); null for most';

        CREATE TABLE %1$I.truth_questions (
            question_id int NOT NULL,
            discrimination float8,
            difficulty float8,
            flaw text NOT NULL);
        COMMENT ON TABLE %1$I.truth_questions IS
            'what is true of each question, and no real school can know';
        COMMENT ON COLUMN %1$I.truth_questions.question_id IS 'the question';
        COMMENT ON COLUMN %1$I.truth_questions.discrimination IS
            'logits per standard deviation of ability, of the question itself before any flaw in '
            'its scoring; null for words per minute';
        COMMENT ON COLUMN %1$I.truth_questions.difficulty IS
            'ability at which half know the answer, before any guessing and before any flaw; '
            'null for words per minute';
        COMMENT ON COLUMN %1$I.truth_questions.flaw IS
            'none; miskeyed (scored against a wrong key); random (unrelated to ability)';
    $ddl$, schema_name);
END $$;
COMMENT ON FUNCTION @extschema@._sample_truth_tables(name) IS
'internal: the tables of the sample network that hold the truth';

-- Keys come after the rows, as building an index at once is faster than row by row.
CREATE FUNCTION @extschema@._sample_keys(schema_name name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format($ddl$
        ALTER TABLE %1$I.schools ADD PRIMARY KEY (school_id), ADD UNIQUE (name);
        ALTER TABLE %1$I.students ADD PRIMARY KEY (student_id),
            ADD UNIQUE (given_name, family_name),
            ADD FOREIGN KEY (school_id) REFERENCES %1$I.schools;
        ALTER TABLE %1$I.assessments ADD PRIMARY KEY (assessment_id), ADD UNIQUE (title);
        ALTER TABLE %1$I.questions ADD PRIMARY KEY (question_id),
            ADD UNIQUE (assessment_id, number),
            ADD FOREIGN KEY (assessment_id) REFERENCES %1$I.assessments;
        ALTER TABLE %1$I.responses ADD PRIMARY KEY (student_id, question_id, attempt),
            ADD FOREIGN KEY (student_id) REFERENCES %1$I.students,
            ADD FOREIGN KEY (assessment_id) REFERENCES %1$I.assessments,
            ADD FOREIGN KEY (question_id) REFERENCES %1$I.questions;
        ALTER TABLE %1$I.truth_students ADD PRIMARY KEY (student_id, subject),
            ADD FOREIGN KEY (student_id) REFERENCES %1$I.students;
        ALTER TABLE %1$I.truth_questions ADD PRIMARY KEY (question_id),
            ADD FOREIGN KEY (question_id) REFERENCES %1$I.questions;
        ANALYZE %1$I.schools, %1$I.students, %1$I.assessments, %1$I.questions, %1$I.responses,
            %1$I.truth_students, %1$I.truth_questions;
    $ddl$, schema_name);
END $$;
COMMENT ON FUNCTION @extschema@._sample_keys(name) IS 'internal: the keys of the sample network';

CREATE FUNCTION @extschema@.sample_network(
    schema_name name DEFAULT 'sample_network',
    seed bigint DEFAULT 1,
    schools int DEFAULT 4,
    students_per_school int DEFAULT 60,
    weeks int DEFAULT 36,
    flawed boolean DEFAULT true,
    first_day date DEFAULT '2025-09-01')
RETURNS TABLE (table_name text, rows bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source text;
BEGIN
    IF num_nulls(schema_name, seed, schools, students_per_school, weeks, flawed, first_day) > 0 THEN
        RAISE EXCEPTION 'arguments of sample_network must not be null'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'One of them is.',
                  HINT = 'Leave out the argument to have its default.';
    END IF;
    IF NOT isfinite(first_day) THEN
        RAISE EXCEPTION 'first_day is out of range'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('first_day is %s.', first_day),
                  HINT = 'It must be a day of the calendar.';
    END IF;
    IF to_regnamespace(quote_ident(schema_name)) IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" already exists', schema_name
            USING ERRCODE = 'duplicate_schema', DETAIL = 'A sample is a schema of its own.',
                  HINT = 'Choose another schema_name, or drop the schema if it is an old sample.';
    END IF;

    PERFORM @extschema@._sample_tables(schema_name);
    PERFORM @extschema@._sample_truth_tables(schema_name);
    -- Parents first. $1 to $5 are the arguments of the internal functions, $6 is the first day.
    FOR table_name, source IN VALUES
        ('schools', 'SELECT * FROM @extschema@._sample_schools($1, $2, $3, $4, $5)'),
        ('students', 'SELECT * FROM @extschema@._sample_students($1, $2, $3, $4, $5)'),
        ('assessments', 'SELECT assessment_id, subject, title, kind, $6 + day
                         FROM @extschema@._sample_assessments($1, $2, $3, $4, $5)'),
        ('questions', 'SELECT question_id, assessment_id, number, kind, prompt, max_points
                       FROM @extschema@._sample_questions($1, $2, $3, $4, $5)'),
        ('responses', 'SELECT student_id, subject, assessment_id, question_id, points, max_points,
                              $6 + day, attempt
                       FROM @extschema@._sample_responses($1, $2, $3, $4, $5)'),
        ('truth_students', 'SELECT * FROM @extschema@._sample_truth($1, $2, $3, $4, $5)'),
        ('truth_questions', 'SELECT question_id, discrimination, difficulty, flaw
                             FROM @extschema@._sample_questions($1, $2, $3, $4, $5)')
    LOOP
        EXECUTE format('INSERT INTO %I.%I %s', schema_name, table_name, source)
            USING seed, schools, students_per_school, weeks, flawed, first_day;
        GET DIAGNOSTICS rows = ROW_COUNT;
        RETURN NEXT;
    END LOOP;

    PERFORM @extschema@._sample_keys(schema_name);
END $$;
COMMENT ON FUNCTION @extschema@.sample_network(name, bigint, int, int, int, boolean, date) IS
'makes a schema with a sample school network: schools (1 to 100) of students_per_school (2 to '
'10000) through a school year of weeks (4 to 60), with the truth beside it; the same arguments '
'give the same rows; without flawed the same students answer sound questions only';
