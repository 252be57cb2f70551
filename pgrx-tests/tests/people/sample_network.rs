//! The sample network, and whether the answers about it are those that its truth tables know.

use pg_assess_it::{Database, Session};

/// A network in the schema `n`, with a gradebook per subject in `gradebooks`.
struct Network {
    _database: Database,
    session: Session,
}

impl Network {
    fn new(arguments: &str) -> Self {
        let database = Database::new();
        let mut session = database.session();
        session.table(&format!(
            "SELECT * FROM assess.sample_network('n'{arguments})"
        ));
        session.run(
            "CREATE TABLE gradebooks AS
             SELECT subject, assess.gradebook_agg(student_id, question_id, assessment_id, points,
                                                  max_points, taken_on) AS gb
             FROM n.responses GROUP BY subject;
             CREATE TABLE students AS
             SELECT g.subject, s.*, t.ability, t.story
             FROM gradebooks g CROSS JOIN assess.students(gb) s
             JOIN n.truth_students t ON t.student_id::text = s.student AND t.subject = g.subject;
             CREATE TABLE questions AS
             SELECT i.*, t.flaw FROM gradebooks CROSS JOIN assess.items(gb) i
             JOIN n.truth_questions t ON t.question_id::text = i.item",
        );
        Self {
            _database: database,
            session,
        }
    }

    /// The default network: 4 schools of 60 students.
    fn usual() -> Self {
        Self::new("")
    }

    fn small(seed: u32, flawed: bool) -> Self {
        Self::new(&format!(
            ", seed => {seed}, schools => 2, students_per_school => 40, flawed => {flawed}"
        ))
    }

    fn count(&mut self, what: &str) -> i64 {
        self.session.one(&format!("SELECT count(*) FROM {what}"))
    }
}

#[test]
fn the_same_arguments_make_the_same_network() {
    let database = Database::new();
    let mut session = database.session();
    let digest = |session: &mut Session, schema: &str| -> String {
        session.one(&format!(
            "SELECT md5(string_agg(r::text, ',' ORDER BY r)) FROM {schema}.responses r"
        ))
    };
    let small = "schools => 1, students_per_school => 12, weeks => 8";
    let rows = session.table(&format!(
        "SELECT * FROM assess.sample_network('a', 7, {small})"
    ));
    session.table(&format!(
        "SELECT * FROM assess.sample_network('b', 7, {small})"
    ));
    session.table(&format!(
        "SELECT * FROM assess.sample_network('c', 8, {small})"
    ));
    assert_eq!(digest(&mut session, "a"), digest(&mut session, "b"));
    assert_ne!(digest(&mut session, "a"), digest(&mut session, "c"));
    let counted: Vec<String> = rows
        .iter()
        .map(|row| row.split('|').next().expect("a table"))
        .map(|table| {
            format!(
                "{table}|{}",
                session.one::<i64>(&format!("SELECT count(*) FROM a.{table}"))
            )
        })
        .collect();
    assert_eq!(rows, counted);

    let odd = "Schule \"Süd\"; DROP SCHEMA a";
    session.table(&format!(
        "SELECT * FROM assess.sample_network('{odd}', 7, {small})"
    ));
    let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
    assert_eq!(digest(&mut session, &quoted), digest(&mut session, "a"));
}

#[test]
fn what_cannot_be_made_is_refused() {
    let database = Database::new();
    let mut session = database.session();
    let make = |argument: &str| format!("SELECT * FROM assess.sample_network({argument})");
    for argument in [
        "schools => 0",
        "schools => 101",
        "students_per_school => 1",
        "students_per_school => 10001",
        "weeks => 3",
        "weeks => 61",
        "weeks => -2147483648",
        "first_day => 'infinity'",
    ] {
        let error = session.refuses(&make(argument), "22023");
        let (name, _) = argument.split_once(' ').expect("a name");
        assert!(error.message().contains(name), "{error}");
    }
    for name in [
        "schema_name",
        "seed",
        "schools",
        "students_per_school",
        "weeks",
        "flawed",
        "first_day",
    ] {
        let error = session.fails(&make(&format!("{name} => NULL")));
        assert_eq!(error.code().code(), "22004", "{error}");
        assert!(error.hint().is_some(), "{error:?}");
    }
    let refusal = session.fails(&make("'public'"));
    assert_eq!(refusal.code().code(), "42P06", "{refusal}");
    assert!(refusal.hint().is_some(), "{refusal:?}");
    assert_eq!(
        session.one::<i64>("SELECT count(*) FROM pg_namespace WHERE nspname = 'sample_network'"),
        0,
        "a refused network leaves nothing"
    );
}

#[test]
fn miskeyed_questions_are_flagged_and_sound_ones_are_not() {
    let networks =
        std::iter::once(Network::usual()).chain((1..=5).map(|seed| Network::small(seed, true)));
    let (mut miskeyed, mut flagged, mut sound, mut accused) = (0, 0, 0, 0);
    for mut network in networks {
        miskeyed += network.count("questions WHERE flaw = 'miskeyed'");
        flagged +=
            network.count("questions WHERE flaw = 'miskeyed' AND status IN ('flawed', 'suspect')");
        sound += network.count("questions WHERE flaw = 'none'");
        accused += network.count("questions WHERE flaw = 'none' AND status = 'flawed'");
        let (here, wrongly): (i64, i64) = (
            network.count("questions WHERE flaw = 'none'"),
            network.count("questions WHERE flaw = 'none' AND status = 'flawed'"),
        );
        assert!(
            50 * wrongly <= here,
            "{wrongly} of {here} sound questions called flawed"
        );
    }
    println!("{flagged} of {miskeyed} miskeyed and {accused} of {sound} sound questions");
    assert!(miskeyed > 100 && sound > 5000);
    assert!(
        100 * flagged >= 95 * miskeyed,
        "{flagged} of {miskeyed} miskeyed questions flagged"
    );
    assert!(
        50 * accused <= sound,
        "{accused} of {sound} sound questions called flawed"
    );
}

/// Of the students truly in the bottom fifth of a subject, how many are among the first of the
/// help list, and how many among the last by the plain average of points.
fn found(networks: impl Iterator<Item = Network>) -> (i64, i64) {
    let (mut by_need, mut by_average) = (0, 0);
    for mut network in networks {
        let row = network.session.table(
            "WITH averages AS (
                 SELECT subject, student_id::text AS student, avg(points / max_points) AS average
                 FROM n.responses WHERE max_points < 'Infinity' GROUP BY 1, 2),
             places AS (
                 SELECT need_rank,
                        row_number() OVER (PARTITION BY subject ORDER BY ability) AS truth,
                        row_number() OVER (PARTITION BY subject ORDER BY average) AS plain,
                        count(*) OVER (PARTITION BY subject) / 5 AS fifth
                 FROM students JOIN averages USING (subject, student) WHERE status <> 'none')
             SELECT count(*) FILTER (WHERE need_rank <= fifth),
                    count(*) FILTER (WHERE plain <= fifth)
             FROM places WHERE truth <= fifth",
        );
        let (need, average) = row[0].split_once('|').expect("two columns");
        by_need += need.parse::<i64>().expect("a count");
        by_average += average.parse::<i64>().expect("a count");
    }
    println!("{by_need} found by need, {by_average} by average");
    (by_need, by_average)
}

#[test]
fn the_help_list_finds_more_of_the_weakest_than_an_average() {
    let (by_need, by_average) = found((1..=5).map(|seed| Network::small(seed, false)));
    assert!(
        by_need >= by_average,
        "sound questions: {by_need} against {by_average}"
    );
    let with_flaws = (1..=5).map(|seed| Network::small(seed, true));
    let (by_need, by_average) = found(with_flaws.chain(std::iter::once(Network::usual())));
    assert!(
        by_need > by_average,
        "flawed questions: {by_need} against {by_average}"
    );
}

#[test]
fn two_questions_of_the_mid_year_test_come_out_flawed() {
    let mut network = Network::usual();
    assert_eq!(
        network.session.table(
            "SELECT number, prompt, flaw, status IN ('flawed', 'suspect'),
                    weight = 0 OR weight <= (SELECT min(weight) FROM questions WHERE weight > 0)
             FROM questions i JOIN n.questions q ON q.question_id::text = i.item
             JOIN n.assessments a USING (assessment_id)
             WHERE a.title = 'Mid-year Math test' AND number IN (2, 15) ORDER BY number"
        ),
        [
            "2|What is 3/4 of 20?|miskeyed|t|t",
            "15|Which fraction is equal to 2/3?|miskeyed|t|t"
        ]
    );
}

#[test]
fn story_students_come_out_as_their_stories_say() {
    let mut network = Network::usual();
    let session = &mut network.session;
    assert_eq!(
        session.table(
            "SELECT story, subject, trend FROM students WHERE story IN ('falling', 'rising')
             ORDER BY 1, 2"
        ),
        [
            "falling|ELA|falling",
            "falling|Math|falling",
            "falling|Science|falling",
            "rising|ELA|rising",
            "rising|Math|rising",
            "rising|Science|rising",
        ]
    );
    assert_eq!(
        session
            .table("SELECT subject, status, assessments FROM students WHERE story = 'new arrival'"),
        ["Math|provisional|2"]
    );
    assert_eq!(
        session.table(
            "SELECT status, n, need_rank FROM students
             WHERE story = 'pending' AND subject = 'Science'"
        ),
        ["none|0|-"]
    );
    assert_eq!(
        session.table("SELECT count(*) FROM students WHERE story = 'no responses'"),
        ["0"],
        "nothing is known of who never answered"
    );
}

/// The question the guide answers: why is a student with high spelling scores low in ELA?
#[test]
fn a_high_speller_with_low_literacy_is_low_and_explained() {
    let mut network = Network::usual();
    let session = &mut network.session;
    session.run(
        "CREATE TABLE speller AS
         SELECT s.*, g.gb FROM students s JOIN gradebooks g USING (subject)
         WHERE s.subject = 'ELA' AND s.story = 'high spelling, low literacy'",
    );
    assert_eq!(
        session.table(
            "SELECT avg(points / max_points) > 0.95
             FROM n.responses JOIN n.assessments a USING (assessment_id)
             WHERE a.kind = 'spelling' AND student_id = (SELECT student::int FROM speller)"
        ),
        ["t"],
        "spells excellently"
    );
    assert_eq!(
        session.table(
            "SELECT need_rank <= (SELECT count(*) / 5.0 FROM students WHERE subject = 'ELA')
             FROM speller"
        ),
        ["t"],
        "is among the fifth in most need"
    );
    assert_eq!(
        session.table(
            "WITH kinds AS (
                 SELECT a.kind, avg(e.quality) AS quality, sum(e.share) AS share,
                        sum(e.contribution) AS makes
                 FROM speller, LATERAL assess.explain(gb, student) e
                 JOIN n.assessments a ON a.assessment_id::text = e.assessment GROUP BY 1)
             SELECT s.quality < l.quality / 2, s.share < l.share / 2, s.makes > 0, l.makes < 0
             FROM kinds s, kinds l WHERE s.kind = 'spelling' AND l.kind = 'literacy'"
        ),
        ["t|t|t|t"],
        "spelling says little and counts little, literacy decides"
    );
}
