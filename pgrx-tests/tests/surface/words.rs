//! `normalize_word` and `matches_key` where SQL puts them: in queries and parallel ones, in
//! indexes, views and generated columns; beside the server's own `normalize`; and on hostile input.

use pg_assess_it::{Database, PARALLEL, SERIAL, Session, rows};

/// A session in a database of its own.
fn session() -> (Database, Session) {
    let database = Database::new();
    let session = database.session();
    (database, session)
}

/// The warnings since the last call, of which none names what a student typed.
#[track_caller]
fn warnings(session: &mut Session) -> Vec<String> {
    let reported = session.notices();
    for notice in &reported {
        assert_eq!(notice.severity(), "WARNING", "{notice}");
        assert_eq!(notice.code().code(), "01000", "{notice}");
        assert!(!format!("{notice:?}").contains("secret"), "{notice}");
    }
    reported
        .iter()
        .map(|notice| notice.message().to_owned())
        .collect()
}

const BLANK: &str = "normalize_word gave null: a text has no letter, digit or symbol";
const DAMAGED: &str = "normalize_word gave null: a text is not valid UTF-8, or has a replacement, \
                       private-use or unassigned character";
const TOO_LONG: &str =
    "normalize_word gave null: a text or its normal form is longer than 65536 bytes";
const NO_KEY: &str = "matches_key gave null: a key has no entry that can be normalised";
const LEFT_OUT: &str = "matches_key left out entries of a key: null, or not to be normalised";
const WRONG: &str = "matches_key took an answer for wrong: a text is not valid UTF-8, or has a \
                     replacement, private-use or unassigned character";

#[test]
fn both_are_what_users_have_written_into_their_queries() {
    let (_database, mut session) = session();
    assert_eq!(
        session.table(
            "SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid),
                    provolatile, proisstrict, proparallel
             FROM pg_proc WHERE proname IN ('normalize_word', 'matches_key') ORDER BY 1"
        ),
        [
            "matches_key|answer text, key text[]|boolean|i|t|s",
            "normalize_word|text text|text|i|t|s"
        ]
    );
}

#[test]
fn texts_of_any_sql_type_are_normalised() {
    let (_database, mut session) = session();
    for [text, word] in rows(
        "'  Straße, '        | strasse
         'STRASSE'::varchar  | strasse
         'x '::char(9)       | x
         'Don’t'::name       | dont
         E'\\u00e9'          | é
         E'e\\u0301'         | é
         'well-known'        | well known
         '３．５'            | 3.5
         '-4'                | -4
         'C#'                | c#",
    ) {
        let sql = format!("SELECT assess.normalize_word({text})");
        assert_eq!(session.one::<String>(&sql), word, "{text}");
    }
    assert_eq!(warnings(&mut session), [""; 0]);
}

/// The server has Unicode tables of its own, of another version.
#[test]
fn every_character_is_in_the_form_that_the_server_calls_nfkc() {
    let (_database, mut session) = session();
    session.run(
        "CREATE TABLE c AS
         SELECT n, 'a' || chr(n) || 'b' AS x FROM generate_series(1, x'10ffff'::int) n
         WHERE n NOT BETWEEN x'd800'::int AND x'dfff'::int",
    );
    let wrong = |session: &mut Session, law: &str| {
        session.table(&format!(
            "SELECT to_hex(n) FROM c WHERE NOT ({law}) LIMIT 9"
        ))
    };
    assert_eq!(
        wrong(&mut session, "assess.normalize_word(x) IS NFKC NORMALIZED"),
        [""; 0]
    );
    // A text and its own NFKC are the same word, but for raised digits and an accent on its own.
    assert_eq!(
        wrong(
            &mut session,
            "n IN (x'b2'::int, x'b3'::int, x'b4'::int, x'b9'::int, x'1ffd'::int)
             OR n BETWEEN x'2070'::int AND x'207f'::int
             OR assess.normalize_word(x)
                IS NOT DISTINCT FROM assess.normalize_word(normalize(x, NFKC))"
        ),
        [""; 0]
    );
    assert_eq!(
        wrong(
            &mut session,
            "assess.normalize_word(x)
             IS NOT DISTINCT FROM assess.normalize_word(assess.normalize_word(x))"
        ),
        [""; 0]
    );
    // Of 1,112,063 Unicode 14 gave a meaning to 144,761; of the others a later version may have.
    let nothing = "SELECT count(*) FROM c WHERE assess.normalize_word(x) IS NULL";
    assert!((900_000..=967_302).contains(&session.one::<i64>(nothing)));
}

#[test]
fn a_statement_warns_once_and_names_no_one() {
    let (_database, mut session) = session();
    session.run(
        "CREATE TABLE t AS
         SELECT CASE n % 3 WHEN 0 THEN '???' WHEN 1 THEN 'secret' || chr(57344) END AS x
         FROM generate_series(1, 300) n",
    );
    for (sql, found) in [
        ("SELECT assess.normalize_word(x) FROM t", vec![DAMAGED]),
        (
            "SELECT assess.normalize_word(x) FROM t WHERE x = '???'",
            vec![BLANK],
        ),
        (
            "SELECT assess.normalize_word(x) FROM t WHERE x IS NULL",
            vec![],
        ),
        ("SELECT assess.normalize_word(NULL)", vec![]),
        ("SELECT assess.normalize_word('')", vec![BLANK]),
        (
            "SELECT assess.normalize_word(repeat('secret', 20000))",
            vec![TOO_LONG],
        ),
        // Each use of the function in a statement speaks for itself.
        (
            "SELECT assess.normalize_word(x), assess.normalize_word(x || '')
             FROM t WHERE x = '???'",
            vec![BLANK, BLANK],
        ),
        ("SELECT assess.matches_key(x, '{a}') FROM t", vec![WRONG]),
        (
            "SELECT assess.matches_key(x, '{a}') FROM t WHERE x = '???'",
            vec![],
        ),
        (
            "SELECT assess.matches_key(x, '{a,?}') FROM t WHERE x = '???'",
            vec![LEFT_OUT],
        ),
        (
            "SELECT assess.matches_key(x, '{a,NULL}') FROM t WHERE x = '???'",
            vec![LEFT_OUT],
        ),
        (
            "SELECT assess.matches_key(x, '{}') FROM t WHERE x = '???'",
            vec![NO_KEY],
        ),
        (
            "SELECT assess.matches_key(x, '{?,NULL}') FROM t WHERE x = '???'",
            vec![NO_KEY],
        ),
        ("SELECT assess.matches_key(x, NULL) FROM t", vec![]),
    ] {
        for _ in 0..2 {
            session.table(sql);
            assert_eq!(warnings(&mut session), found, "{sql}");
        }
    }
    // A plan that is kept warns each time that it is run.
    session.run("PREPARE p AS SELECT assess.normalize_word(x) FROM t WHERE x = '???'");
    session.run("SET plan_cache_mode = force_generic_plan");
    for _ in 0..3 {
        assert_eq!(session.table("EXECUTE p").len(), 100);
        assert_eq!(warnings(&mut session), [BLANK]);
    }
    session.run("SET client_min_messages = error");
    session.table("SELECT assess.normalize_word(x) FROM t");
    assert_eq!(warnings(&mut session), [""; 0]);
}

#[test]
fn answers_are_right_wrong_or_cannot_be_judged() {
    let (_database, mut session) = session();
    for [answer, key, expected] in rows(
        "'Grey!'           | '{gray, grey}'           | t
         'green'           | '{gray, grey}'           | f
         ''                | '{gray}'                 | f
         ' … '             | '{gray}'                 | f
         concat('gray', chr(57344)) | '{gray}'        | f
         repeat('gray', 100000)    | '{gray}'         | f
         NULL              | '{gray}'                 | -
         'gray'            | NULL                     | -
         'gray'            | '{}'                     | -
         '?'               | '{?}'                    | -
         'gray'            | '{NULL}'                 | -
         'gray'            | '{NULL, ?, Gray}'        | t
         'grey'            | '{NULL, ?, Gray}'        | f
         'null'            | '{NULL, \"null\"}'       | t
         'd'               | '{{a,b},{c,D}}'          | t
         'e'               | '{{a,b},{c,D}}'          | f
         'b'               | '[-5:-4]={a,b}'          | t
         '35'              | '{3.5}'                  | f
         '3,5'             | '{3.5, \"3,5\"}'         | t
         '4'               | '{-4}'                   | f
         '−4'              | '{-4}'                   | t
         'A'               | '{A-}'                   | f
         '102'             | '{10²}'                  | f
         '10^2'            | '{10²}'                  | t
         '½'               | '{1/2}'                  | t
         'C'               | '{C#}'                   | f
         'cafe'            | '{café}'                 | f
         E'cafe\\u0301'    | '{CAFÉ}'                 | t",
    ) {
        let sql = format!("SELECT assess.matches_key({answer}, {key})");
        assert_eq!(session.table(&sql), [expected], "{sql}");
    }
}

#[test]
fn keys_may_change_from_row_to_row() {
    let (_database, mut session) = session();
    // In turns, so that a key kept for too long would show; compressed, toasted and plain ones.
    session.run(
        "CREATE TABLE a (n int, answer text, key text[]);
         INSERT INTO a
         SELECT n, CASE WHEN n % 5 = 0 THEN 'Nº ' || n % 7 ELSE 'No. ' || n % 3 END,
                CASE n % 4
                    WHEN 0 THEN ARRAY['no ' || n % 7]
                    WHEN 1 THEN ARRAY['no 1', 'no ' || n % 3]
                    WHEN 2 THEN array_fill('no 2'::text, ARRAY[3000])
                    ELSE (SELECT array_agg(md5(i::text)) FROM generate_series(1, 400) i)
                         || 'NO 0'::text
                END
         FROM generate_series(1, 2000) n",
    );
    assert_eq!(
        session.table(
            "SELECT n, assess.matches_key(answer, key),
                    assess.normalize_word(answer) = ANY (SELECT assess.normalize_word(k)
                                                         FROM unnest(key) k)
             FROM a WHERE n % 17 = 0
                AND assess.matches_key(answer, key)
                    IS DISTINCT FROM (assess.normalize_word(answer)
                                      = ANY (SELECT assess.normalize_word(k) FROM unnest(key) k))"
        ),
        [""; 0]
    );
    assert_eq!(
        session.table(
            "SELECT count(*) FILTER (WHERE m) = 0, count(*) FILTER (WHERE NOT m) = 0
             FROM (SELECT assess.matches_key(answer, key) AS m FROM a) judged"
        ),
        ["f|f"]
    );
    assert_eq!(
        session.table(
            "SELECT n FROM a WHERE assess.matches_key(answer, key) <>
                    (replace(replace(lower(answer), 'nº', 'no'), '.', '')
                     = ANY (ARRAY(SELECT lower(k) FROM unnest(key) k)))"
        ),
        [""; 0]
    );
    // Two keys in one row, and a variable of PL/pgSQL, whose arrays are unfolded in memory.
    assert_eq!(
        session.table(
            "SELECT bool_and(assess.matches_key('x', ARRAY['x', n::text])
                             AND NOT assess.matches_key('x', ARRAY['y', n::text]))
             FROM generate_series(1, 50) n"
        ),
        ["t"]
    );
    session.run(
        "DO $$ DECLARE key text[] := '{}'; BEGIN
             FOR n IN 1..20 LOOP
                 key[n] := 'Answer ' || n;
                 ASSERT assess.matches_key('answer: ' || n, key);
                 ASSERT NOT assess.matches_key('answer: ' || n + 1, key);
             END LOOP;
         END $$",
    );
}

#[test]
fn labels_can_be_indexed_viewed_and_generated() {
    let (_database, mut session) = session();
    session.run(
        "CREATE TABLE labels (
             label text,
             word text GENERATED ALWAYS AS (assess.normalize_word(label)) STORED,
             CHECK (assess.matches_key(label, '{no such label}') IS NOT TRUE));
         INSERT INTO labels SELECT 'Unit-' || n FROM generate_series(1, 5000) n;
         CREATE UNIQUE INDEX ON labels (assess.normalize_word(label));
         CREATE VIEW words AS SELECT assess.normalize_word(label) AS word, label FROM labels;
         ANALYZE labels",
    );
    let plan = session.plan("SELECT * FROM words WHERE word = assess.normalize_word('UNIT 77')");
    assert!(plan.contains("Index Scan"), "{plan}");
    assert!(plan.contains("'unit 77'"), "folded into a constant: {plan}");
    assert_eq!(
        session.table("SELECT label FROM words WHERE word = assess.normalize_word('UNIT 77')"),
        ["Unit-77"]
    );
    assert_eq!(
        session.table("SELECT word FROM labels WHERE label = 'Unit-78'"),
        ["unit 78"]
    );
    let twice = session.fails("INSERT INTO labels VALUES ('unit: 77')");
    assert_eq!(twice.code().code(), "23505");
    let checked = session.fails("INSERT INTO labels VALUES ('No such label!')");
    assert_eq!(checked.code().code(), "23514");
    assert_eq!(warnings(&mut session), [""; 0]);
    // One warning of the generated column, one of the index; both rows are kept.
    session.run("INSERT INTO labels VALUES ('??'), ('!!')");
    assert_eq!(warnings(&mut session), [BLANK, BLANK]);
    assert_eq!(
        session.one::<i64>("SELECT count(*) FROM labels WHERE word IS NULL"),
        2
    );
}

#[test]
fn parallel_workers_say_the_same() {
    let (_database, mut session) = session();
    session.run(
        "CREATE TABLE t AS
         SELECT CASE WHEN n % 100 = 0 THEN '?' ELSE 'Wörd-' || n END AS x
         FROM generate_series(1, 40000) n;
         ANALYZE t",
    );
    let sql = "SELECT count(assess.normalize_word(x)), sum(hashtext(assess.normalize_word(x))),
                      count(*) FILTER (WHERE assess.matches_key(x, '{WÖRD 77, wörd–88}'))
               FROM t";
    session.run(SERIAL);
    let serial = session.table(sql);
    assert!(serial[0].starts_with("39600|") && serial[0].ends_with("|2"));
    assert_eq!(warnings(&mut session).len(), 2, "of two uses");
    session.run(PARALLEL);
    assert!(session.plan(sql).contains("Workers Planned: 2"));
    assert_eq!(session.table(sql), serial);
    let reported = warnings(&mut session);
    assert!((2..=6).contains(&reported.len()), "{reported:?}");
    assert!(
        reported.iter().all(|message| message == BLANK),
        "{reported:?}"
    );
    // What filters a table is done by the workers, too.
    let filter = session.plan("SELECT x FROM t WHERE assess.normalize_word(x) = 'wörd 7'");
    assert!(filter.contains("Parallel Seq Scan"), "{filter}");
}

#[test]
fn hostile_texts_bring_nothing_down() {
    let (_database, mut session) = session();
    let backend = session.backend();
    for (text, expected) in [
        ("repeat('x', 65536)", "65536"),
        ("repeat('x', 65537)", "-"),
        ("repeat('x', 1000000)", "-"),
        ("repeat('x', 100000000)", "-"),
        // One character of three bytes becomes 18 of 33.
        ("repeat(chr(65018), 1985)", "35730"),
        ("repeat(chr(65018), 1986)", "-"),
        ("repeat(chr(65018), 21845)", "-"),
        ("repeat(chr(769), 32768)", "-"),
        ("'x' || repeat(chr(769) || chr(803), 16383)", "32767"),
        ("repeat(chr(8238) || chr(8207), 10000)", "-"),
        ("'a' || repeat(chr(8238) || chr(8207), 10000) || 'b'", "2"),
        ("repeat('-.', 32768)", "-"),
        ("repeat('.', 65535) || '5'", "1"),
        ("repeat('a''', 32768)", "32768"),
        ("E'\\x01\\x02 \\x7f'", "-"),
        ("chr(65279) || 'x' || chr(65533)", "-"),
        ("chr(1114111)", "-"),
    ] {
        let sql = format!("SELECT length(assess.normalize_word({text}))");
        assert_eq!(session.table(&sql), [expected], "{text}");
    }
    session.run(
        "CREATE TABLE stored AS SELECT repeat('long word ', 5000) AS x UNION ALL
         SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 1900) n",
    );
    assert_eq!(
        session.table("SELECT bool_and(assess.normalize_word(x) = trim(x)) FROM stored"),
        ["t"]
    );
    assert_eq!(
        session.table("SELECT assess.matches_key('x', array_fill(repeat('x', 60000), '{300}'))"),
        ["f"]
    );
    // A key of very many entries can be stopped.
    session.run("SET statement_timeout = '150ms'");
    let stopped = session.fails(
        "SELECT count(*) FROM generate_series(1, 1000000) n
         WHERE assess.matches_key('x', array_fill(repeat(chr(65018), 20000), ARRAY[500 + n % 2]))",
    );
    assert_eq!(stopped.code().code(), "57014");
    assert_eq!(session.backend(), backend);
}

#[test]
fn bytes_that_are_no_text_are_reported_and_not_judged() {
    let database = Database::encoded("SQL_ASCII");
    let mut session = database.session();
    session.run("CREATE EXTENSION pg_assess");
    session.run("SET client_encoding = 'SQL_ASCII'");
    session.notices();
    session.run(
        "CREATE TABLE t (x text);
         INSERT INTO t VALUES ('Caf\u{e9}'), (E'Caf\\351'), (E'\\377'), (E'\\303'), ('Tea')",
    );
    assert_eq!(
        session.table("SELECT count(assess.normalize_word(x)) FROM t"),
        ["2"]
    );
    assert_eq!(warnings(&mut session), [DAMAGED]);
    assert_eq!(
        session.table("SELECT assess.normalize_word(x) = 'caf\u{e9}' FROM t LIMIT 1"),
        ["t"]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM t WHERE assess.matches_key(x, '{CAF\u{c9}}')"),
        ["1"]
    );
}
