//! What the tests of the core share: rows that own their ids, gradebooks made of them, everything
//! the solvers say in one value, and readers for the shared data.
#![allow(dead_code)] // Each test program uses its part.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use pg_assess_core::backtest::Outcome;
use pg_assess_core::chart::{Rect, text_width};
use pg_assess_core::drift::{Drift, DriftStatus};
use pg_assess_core::explain::Contribution;
use pg_assess_core::gradebook::{Builder, Enrolment, Gradebook, Id, MaxScore, Row};
use pg_assess_core::half_life::{Advice, Trial};
use pg_assess_core::options::Options;
use pg_assess_core::reliability::Assessment;
use pg_assess_core::solve::Item;
use pg_assess_core::student::Student;
use pg_assess_core::time::{Clock, DAY};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

pub mod solve;

use solve::{Ask, Settings};

/// A poll that lets everything go on.
pub fn go() {}

/// The same cases in every run.
pub fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

/// The same in another order.
pub fn shuffled<T: Clone>(values: &[T], seed: u64) -> Vec<T> {
    let mut shuffled = values.to_vec();
    shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    shuffled
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnId {
    Integer(i64),
    Uuid(u128),
    Text(String),
}

impl OwnId {
    pub fn id(&self) -> Id<'_> {
        match self {
            OwnId::Integer(value) => Id::Integer(*value),
            OwnId::Uuid(value) => Id::Uuid(*value),
            OwnId::Text(text) => Id::Text(text),
        }
    }
}

/// A row that owns what it holds; `None` stands for NULL.
#[derive(Clone, PartialEq)]
pub struct OwnRow {
    pub student: Option<OwnId>,
    pub item: Option<OwnId>,
    pub assessment: Option<OwnId>,
    pub score: Option<f64>,
    pub max_score: MaxScore,
    pub taken_at: Option<i64>,
}

/// On one line, so that a table can be read in a failure.
impl std::fmt::Debug for OwnRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            student,
            item,
            assessment,
            score,
            max_score,
            taken_at,
        } = self;
        let text = format!("{student:?} {item:?} {assessment:?} {score:?} {max_score:?}");
        f.write_str(&format!("{text} {taken_at:?}").replace("Some", ""))
    }
}

impl OwnRow {
    pub fn row(&self) -> Row<'_> {
        Row {
            student: self.student.as_ref().map(OwnId::id),
            item: self.item.as_ref().map(OwnId::id),
            assessment: self.assessment.as_ref().map(OwnId::id),
            score: self.score,
            max_score: self.max_score,
            taken_at: self.taken_at,
        }
    }
}

/// A row with integer ids, a score that is a share, and a day.
pub fn row(student: i64, item: i64, assessment: i64, score: f64, day: f64) -> OwnRow {
    OwnRow {
        student: Some(OwnId::Integer(student)),
        item: Some(OwnId::Integer(item)),
        assessment: Some(OwnId::Integer(assessment)),
        score: Some(score),
        max_score: MaxScore::Share,
        taken_at: Some((day * DAY as f64) as i64),
    }
}

/// A row of a roster that owns what it holds; `None` stands for NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEnrolment {
    pub student: Option<OwnId>,
    pub group: Option<OwnId>,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

impl OwnEnrolment {
    pub fn row(&self) -> Enrolment<'_> {
        Enrolment {
            student: self.student.as_ref().map(OwnId::id),
            group: self.group.as_ref().map(OwnId::id),
            from: self.from,
            to: self.to,
        }
    }
}

/// A row of a roster with integer ids; both days are included.
pub fn enrolment(
    student: i64,
    group: Option<i64>,
    from: impl Into<Option<i64>>,
    to: impl Into<Option<i64>>,
) -> OwnEnrolment {
    OwnEnrolment {
        student: Some(OwnId::Integer(student)),
        group: group.map(OwnId::Integer),
        from: from.into().map(|day| day * DAY),
        to: to.into().map(|day| day * DAY + DAY - 1),
    }
}

/// The flat form of responses and a roster.
pub fn with_roster<'a>(
    rows: impl IntoIterator<Item = &'a OwnRow>,
    roster: impl IntoIterator<Item = &'a OwnEnrolment>,
) -> Vec<u8> {
    let mut builder = builder(rows);
    for row in roster {
        let row = row.row();
        builder
            .enrol(Clock::Calendar, row)
            .expect("ids of one type");
    }
    builder.encode(&go).expect("a small gradebook")
}

pub fn builder<'a>(rows: impl IntoIterator<Item = &'a OwnRow>) -> Builder {
    let mut builder = Builder::new();
    for row in rows {
        builder
            .push(Clock::Calendar, row.row())
            .expect("ids of one type");
    }
    builder
}

/// The flat form of the rows.
pub fn gradebook<'a>(rows: impl IntoIterator<Item = &'a OwnRow>) -> Vec<u8> {
    builder(rows).encode(&go).expect("a small gradebook")
}

/// Reads all of a flat form.
pub fn check(bytes: &[u8]) -> pg_assess_core::Result<Gradebook<'_>> {
    let book = Gradebook::open(bytes)?;
    book.visit(&go, |_| Ok(()))?;
    Ok(book)
}

/// Merges flat forms in the order given.
pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut builder = Builder::new();
    for part in parts {
        let part = Gradebook::open(part).expect("a gradebook");
        builder.merge(&part, &go).expect("the same types");
    }
    builder.encode(&go).expect("a small gradebook")
}

/// Everything the solvers say.
#[derive(Debug)]
pub struct Solved {
    pub items: Vec<Item>,
    pub drifts: Vec<Drift>,
    pub students: Vec<Student>,
    pub assessments: Vec<(u32, Assessment)>,
    pub coverage: Vec<(&'static str, u64)>,
    pub explanations: Vec<(u32, Vec<Contribution>)>,
}

impl Solved {
    pub fn of(bytes: &[u8], options: &impl Ask) -> Self {
        let gradebook = Gradebook::open(bytes).expect("a gradebook");
        let students = solve::students(&gradebook, options, &go).expect("students");
        // Each explanation solves all anew: of many students some are enough.
        let step = 1 + students.len() / 12;
        Self {
            items: solve::items(&gradebook, options, &go).expect("items"),
            drifts: solve::item_drift(&gradebook, options, &go).expect("drifts"),
            assessments: solve::assessments(&gradebook, options, &go).expect("assessments"),
            coverage: solve::coverage(&gradebook, options, &go).expect("coverage"),
            explanations: students
                .iter()
                .step_by(step)
                .map(|row| {
                    let rows = solve::explain(&gradebook, row.student, options, &go);
                    (row.student, rows.expect("an explanation"))
                })
                .collect(),
            students,
        }
    }

    /// All figures to the last bit: the shortest text that reads back is different for different
    /// bits.
    pub fn text(&self) -> String {
        format!("{self:?}")
    }

    /// The same, with ids instead of numbers and without the coverage.
    pub fn text_by_id(&self, bytes: &[u8]) -> String {
        let gradebook = Gradebook::open(bytes).expect("a gradebook");
        let student = |at: u32| gradebook.students().get(at).to_string();
        let item = |at: u32| gradebook.items().get(at).to_string();
        let assessment = |at: u32| gradebook.assessments().get(at).to_string();
        let items: Vec<_> = self
            .items
            .iter()
            .map(|row| {
                let named = Item {
                    item: 0,
                    ..row.clone()
                };
                (item(row.item), named)
            })
            .collect();
        let drifts: Vec<_> = self
            .drifts
            .iter()
            .map(|row| {
                let named = Drift {
                    item: 0,
                    ..row.clone()
                };
                (item(row.item), named)
            })
            .collect();
        let students: Vec<_> = self
            .students
            .iter()
            .map(|row| {
                let named = Student {
                    student: 0,
                    ..row.clone()
                };
                (student(row.student), named)
            })
            .collect();
        let assessments: Vec<_> = self
            .assessments
            .iter()
            .map(|(at, row)| (assessment(*at), row))
            .collect();
        let explanations: Vec<_> = self
            .explanations
            .iter()
            .map(|(at, rows)| {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|row| {
                        let named = Contribution {
                            assessment: 0,
                            item: 0,
                            ..*row
                        };
                        (assessment(row.assessment), item(row.item), named)
                    })
                    .collect();
                (student(*at), rows)
            })
            .collect();
        format!("{items:?}\n{drifts:?}\n{students:?}\n{assessments:?}\n{explanations:?}")
    }

    pub fn student(&self, student: u32) -> &Student {
        self.students
            .iter()
            .find(|row| row.student == student)
            .expect("a known student")
    }

    pub fn explanation(&self, student: u32) -> Option<&[Contribution]> {
        let mut explanations = self.explanations.iter();
        let (_, rows) = explanations.find(|(at, _)| *at == student)?;
        Some(rows)
    }

    /// What holds whatever the data.
    pub fn assert_sound(&self, options: &Options) {
        let text = self.text();
        for bad in ["NaN", ": inf", "(inf", "-inf"] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
        for item in &self.items {
            let quality = &item.quality;
            assert!(quality.weight >= 0.0, "{quality:?}");
            assert!(quality.n_effective <= quality.n as f64 * (1.0 + 1e-12));
            for r in [quality.r_rest, item.separation.somers_d]
                .into_iter()
                .flatten()
            {
                assert!((-1.0..=1.0).contains(&r), "{item:?}");
            }
            if let Some(d) = quality.discrimination {
                assert!(d.ci_low <= d.value && d.value <= d.ci_high, "{d:?}");
                assert!(d.se >= 0.0);
            }
            if let Some(facility) = item.facility {
                assert!((0.0..=1.0 + 1e-12).contains(&facility), "{item:?}");
            }
            assert!(item.first_at <= item.last_at);
        }
        let sound: Vec<f64> = self
            .items
            .iter()
            .map(|item| &item.quality)
            .filter(|quality| quality.status.label() != "flawed")
            .map(|quality| quality.weight)
            .collect();
        if !sound.is_empty() {
            close(
                sound.iter().sum::<f64>() / sound.len() as f64,
                1.0,
                1e-9,
                "mean weight",
            );
        }
        let told = self.drifts.iter().map(|drift| drift.item);
        assert!(told.eq(self.items.iter().map(|item| item.item)));
        for drift in &self.drifts {
            let insufficient = drift.status == DriftStatus::Insufficient;
            assert_eq!(insufficient, drift.change.is_none(), "{drift:?}");
            let drifted = drift.status == DriftStatus::Drifted;
            assert_eq!(drifted, drift.direction().is_some(), "{drift:?}");
            assert!(u64::from(drift.dates) <= drift.n, "{drift:?}");
            let Some(change) = drift.change else { continue };
            assert_eq!(change.n_before + change.n_after, drift.n, "{drift:?}");
            assert!(change.n_before.min(change.n_after) >= options.side_answers);
            assert!(change.ci_low <= change.value && change.value <= change.ci_high);
            assert!(0.0 <= change.p && change.p <= change.q && change.q <= 1.0);
            assert!(change.se >= 0.0, "{drift:?}");
        }
        let with_evidence = |row: &&Student| row.level.is_some_and(|level| level.last_at.is_some());
        let with_evidence = self.students.iter().filter(with_evidence).count();
        let mut ranks: Vec<u64> = Vec::new();
        for student in &self.students {
            assert!(student.work.missing <= student.work.due, "{student:?}");
            ranks.extend(student.need_rank);
            let p = student.trend.p.unwrap_or(0.5);
            assert!((0.0..=1.0).contains(&p), "{student:?}");
            assert!(student.trend.slope_se.is_none_or(|se| se >= 0.0));
            let Some(level) = student.level else { continue };
            let low = level.ci_low.unwrap_or(level.level);
            let high = level.ci_high.unwrap_or(level.level);
            assert!(low <= level.level && level.level <= high, "{level:?}");
            assert!(
                (0.0..=1.0).contains(&level.need.unwrap_or(0.5)),
                "{level:?}"
            );
            assert!((0.0..=1.0).contains(&level.reliability), "{level:?}");
            assert!(level.information >= 0.0 && level.se.is_none_or(|se| se >= 0.0));
            // One student has nobody to borrow from.
            if options.shrink && options.noise_df > 0.0 && with_evidence > 1 {
                assert!(level.se.is_some() && level.need.is_some(), "{level:?}");
            }

            let Some(rows) = self.explanation(student.student) else {
                continue;
            };
            let scale = rows
                .iter()
                .map(|row| row.contribution.abs())
                .fold(1.0, f64::max);
            let sum: f64 = rows.iter().map(|row| row.contribution).sum();
            close(sum, level.level - level.prior, 1e-12 * scale, "explanation");
            let shares: f64 = rows.iter().map(|row| row.share).sum();
            close(shares, level.reliability, 1e-12, "shares");
        }
        ranks.sort_unstable();
        assert!(
            ranks.iter().copied().eq(1..=ranks.len() as u64),
            "{ranks:?}"
        );
        for (_, assessment) in &self.assessments {
            assert!(assessment.first_at <= assessment.last_at);
            assert!(assessment.sem.is_none_or(|sem| sem >= 0.0));
        }
    }
}

/// The number that an id is.
pub fn integer(id: &Option<OwnId>) -> i64 {
    match id {
        Some(OwnId::Integer(number)) => *number,
        _ => panic!("an integer id"),
    }
}

/// A small school in which everything goes wrong that can: everyone has other questions, some
/// sit again, some go on another day, two assessments share their days, one has no upper bound.
pub fn messy_school(seed: u64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let students = rng.gen_range(8..26);
    let assessments = rng.gen_range(3..9);
    let questions = rng.gen_range(2..6);
    let coarse = rng.gen_bool(0.3);
    let mut names: Vec<i64> = (0..assessments).collect();
    names.shuffle(&mut rng);
    let mut rows = Vec::new();
    for student in 0..students {
        let ability = normal(&mut rng);
        for (at, &assessment) in names.iter().enumerate() {
            if rng.gen_bool(0.15) {
                continue;
            }
            let day = (at - at % 2) as f64 * 11.0;
            for question in (0..questions).filter(|q| *q == 0 || student % (q + 2) > 0) {
                let score = |rng: &mut ChaCha8Rng| {
                    let hardness = (question + 2 * assessment) % 5;
                    let logit = ability - 0.6 * hardness as f64 + 1.0 + 0.7 * normal(rng);
                    let score = 1.0 / (1.0 + (-logit).exp());
                    (score * if coarse { 1.0 } else { 4.0 }).round()
                        / if coarse { 1.0 } else { 4.0 }
                };
                let item = assessment * 10 + question;
                let late = if question > 0 && rng.gen_bool(0.1) {
                    5.0
                } else {
                    0.0
                };
                let mut answer = row(student, item, assessment, score(&mut rng), day + late);
                if assessment == 1 {
                    answer.max_score = MaxScore::Points(Some(f64::INFINITY));
                    answer.score = answer.score.map(|score| 80.0 * score + 20.0);
                }
                if rng.gen_bool(0.15) {
                    let later = OwnRow {
                        score: answer.score.map(|score| score * 0.5),
                        taken_at: answer.taken_at.map(|at| at + rng.gen_range(1..30) * DAY),
                        ..answer.clone()
                    };
                    rows.push(later);
                }
                if rng.gen_bool(0.03) {
                    answer.score = None;
                }
                rows.push(answer);
            }
        }
    }
    rows
}

/// Everything that was answered, each with its question's effect and weight.
pub fn answers(rows: &[&OwnRow], options: &impl Ask) -> Vec<(i64, Contribution)> {
    let bytes = gradebook(rows.iter().copied());
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let mut answers = Vec::new();
    for student in solve::students(&book, options, &go).expect("students") {
        let Some(level) = student.level else { continue };
        let id = book.students().get(student.student).to_string();
        let id = id.parse().expect("a number");
        let rows = solve::explain(&book, student.student, options, &go).expect("an explanation");
        answers.extend(rows.into_iter().map(|row| {
            let named = |text: String| text.parse().expect("a number");
            let effect = row.expected - level.prior;
            let named = Contribution {
                assessment: named(book.assessments().get(row.assessment).to_string()),
                item: named(book.items().get(row.item).to_string()),
                expected: effect,
                ..row
            };
            (id, named)
        }));
    }
    answers
}

/// What holds of any back-test.
pub fn assert_backtest_sound(rows: &[Outcome]) {
    let text = format!("{rows:?}");
    for bad in ["NaN", "inf"] {
        assert!(!text.contains(bad), "{text}");
    }
    for row in rows {
        let own = &row.figures;
        let shares = [own.recall, own.coverage[0], own.coverage[1], own.need_error];
        for share in shares.into_iter().flatten() {
            assert!((-1e-9..=1.0 + 1e-9).contains(&share), "{row:?}");
        }
        assert!(
            own.rank_correlation.is_none_or(|r| r.abs() <= 1.0 + 1e-9),
            "{row:?}"
        );
        assert!(own.rmse.is_none_or(|rmse| rmse >= 0.0), "{row:?}");
    }
}

/// What holds of any advice.
pub fn assert_advice_sound(advice: &Advice, in_use: f64) {
    let text = format!("{advice:?}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    assert_eq!(advice.trials.is_empty(), advice.n == 0, "{text}");
    assert_eq!(advice.n == 0, advice.students == 0, "{text}");
    if advice.n == 0 {
        return;
    }
    let count = |f: &dyn Fn(&Trial) -> bool| advice.trials.iter().filter(|own| f(own)).count();
    assert_eq!(count(&|own| own.is_best), 1, "{text}");
    assert_eq!(count(&|own| own.in_use), 1, "{text}");
    let tried = count(&|own| own.half_life == Some(in_use));
    assert_eq!(tried, 1, "{text}");
    let days = |own: &Trial| own.half_life.unwrap_or(f64::INFINITY);
    assert!(
        advice
            .trials
            .windows(2)
            .all(|two| days(&two[0]) < days(&two[1])),
        "{text}"
    );
    let least = advice
        .trials
        .iter()
        .map(|own| own.rmse)
        .fold(f64::INFINITY, f64::min);
    for own in &advice.trials {
        assert_eq!(own.difference, own.rmse - least);
        assert!(!own.is_best || own.difference == 0.0 && own.indistinguishable);
        let near = own.difference <= 0.01 * least || own.ci.is_some_and(|(low, _)| low <= 0.0);
        assert_eq!(own.indistinguishable, near, "{own:?}");
        assert!(own.ci.is_none_or(|(low, high)| low <= high));
    }
}

/// Looks back with few settings, and takes advice: neither fails, and all figures are sound.
pub fn assert_past_sound(bytes: &[u8], options: &impl Ask) {
    let gradebook = Gradebook::open(bytes).expect("a gradebook");
    for weighted_target in [false, true] {
        let settings = Settings {
            cut_count: 3,
            horizon: 60.0,
            weighted_target,
            resamples: 5,
            ..Settings::default()
        };
        let rows = solve::backtest(&gradebook, options, &settings, &go).expect("rows");
        assert_backtest_sound(&rows);
    }
    let advice = solve::half_life_advice(&gradebook, options, 5, 1, &go).expect("advice");
    assert_advice_sound(&advice, options.options().half_life);
}

/// Fails unless the two differ by at most `tolerance`.
#[track_caller]
pub fn close(left: f64, right: f64, tolerance: f64, what: &str) {
    assert!(
        (left - right).abs() <= tolerance,
        "{what}: {left:e} against {right:e}, {:e} apart",
        (left - right).abs()
    );
}

/// The same for what may be missing, which must be missing on both sides.
#[track_caller]
pub fn close_option(left: Option<f64>, right: Option<f64>, tolerance: f64, what: &str) {
    match (left, right) {
        (Some(left), Some(right)) => close(left, right, tolerance, what),
        (None, None) => {}
        _ => panic!("{what}: {left:?} against {right:?}"),
    }
}

/// A draw from the standard normal distribution.
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// The shared data called `name`; none, and a word on it, where there are none.
pub fn shared_data(test: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: no shared data");
    None
}

/// A table from a file.
pub struct Table {
    columns: BTreeMap<String, usize>,
    pub rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a CSV file, packed or not.
    pub fn read(path: &Path) -> Self {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if path.extension().is_some_and(|extension| extension == "gz") {
            Self::parse(GzDecoder::new(file))
        } else {
            Self::parse(file)
        }
    }

    fn parse(source: impl std::io::Read) -> Self {
        let mut reader = csv::Reader::from_reader(source);
        let columns = reader
            .headers()
            .expect("a header")
            .iter()
            .enumerate()
            .map(|(at, name)| (name.to_owned(), at))
            .collect();
        let rows = reader.records().map(|row| row.expect("a row")).collect();
        Self { columns, rows }
    }

    pub fn column(&self, name: &str) -> usize {
        *self
            .columns
            .get(name)
            .unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The column names but for the first, in order.
    pub fn items(&self) -> Vec<String> {
        let mut names: Vec<(usize, &String)> =
            self.columns.iter().map(|(name, at)| (*at, name)).collect();
        names.sort_unstable();
        names
            .into_iter()
            .skip(1)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// A column of numbers; none where a field is empty or NA.
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        let column = self.column(name);
        self.rows.iter().map(|row| number(&row[column])).collect()
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let column = self.column(name);
        self.rows.iter().map(|row| &row[column]).collect()
    }
}

/// A number; none of nothing and of NA.
pub fn number(text: &str) -> Option<f64> {
    match text {
        "" | "NA" => None,
        text => Some(text.parse().unwrap_or_else(|_| panic!("no number: {text}"))),
    }
}

/// A small check of well-formedness: tags nest, attributes are quoted, entities are known.
pub fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert_text(&rest[..start]);
        let end = rest[start..].find('>').expect("every tag ends") + start;
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "a stray < in {tag:?}");
        let name = tag
            .trim_end_matches('/')
            .split_whitespace()
            .next()
            .unwrap_or("");
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else {
            assert!(
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()),
                "{tag:?}"
            );
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag:?}");
            tag.split('"').skip(1).step_by(2).for_each(assert_text);
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    assert_eq!(rest.trim(), "");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(
        !svg.contains("NaN") && !svg.contains("inf"),
        "a figure is not finite"
    );
}

fn assert_text(text: &str) {
    for part in text.split('&').skip(1) {
        let entity = part.split(';').next().unwrap_or("");
        assert!(
            ["amp", "lt", "gt", "quot", "#39"].contains(&entity),
            "&{entity}"
        );
    }
    let allowed = |c: char| c == '\n' || (c >= ' ' && !('\u{7f}'..='\u{9f}').contains(&c));
    assert!(
        text.chars()
            .all(|c| allowed(c) && c != '\u{fffe}' && c != '\u{ffff}')
    );
}

/// The places of all words of a drawing, beside the words.
pub fn words_of(svg: &str) -> Vec<(Rect, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let number = |tag: &str, name: &str| attribute(tag, name)?.parse::<f64>().ok();
    svg.lines()
        .filter(|line| line.starts_with("<text "))
        .map(|line| {
            let (tag, rest) = line.split_once('>').expect("a tag ends");
            let words = rest.strip_suffix("</text>").expect("and its element");
            let words = &words
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            let (x, y) = (number(tag, "x"), number(tag, "y"));
            let (x, y) = x.zip(y).expect("words have a place");
            let size = number(tag, "font-size").expect("and a size");
            let w = text_width(words, size) * 0.85;
            let before = match attribute(tag, "text-anchor").as_deref() {
                Some("middle") => w / 2.0,
                Some("end") => w,
                _ => 0.0,
            };
            let (up, h) = (0.7 * size, 0.8 * size);
            let place = match tag.contains("rotate(-90 ") {
                true => Rect {
                    x: x - up,
                    y: y - w + before,
                    w: h,
                    h: w,
                },
                false => Rect {
                    x: x - before,
                    y: y - up,
                    w,
                    h,
                },
            };
            (place, words.to_owned())
        })
        .collect()
}

/// No words cover others, and all are on the drawing.
#[track_caller]
pub fn assert_legible(svg: &str) {
    assert_well_formed(svg);
    let number = |name: &str| -> f64 {
        let (_, rest) = svg.split_once(&format!(" {name}=\"")).expect("a size");
        rest.split('"')
            .next()
            .expect("a value")
            .parse()
            .expect("a number")
    };
    let page = Rect {
        x: 0.0,
        y: 0.0,
        w: number("width"),
        h: number("height"),
    };
    let words = words_of(svg);
    for (i, (place, text)) in words.iter().enumerate() {
        assert!(
            place.within(page),
            "{text:?} at {place:?} leaves the drawing"
        );
        for (other, covered) in &words[i + 1..] {
            assert!(!place.overlaps(*other), "{text:?} and {covered:?} overlap");
        }
    }
    assert_contrast(svg);
}

/// A colour such as `#fff` or `#240b52`.
fn colour_of(hex: &str) -> Option<[u8; 3]> {
    let digits = hex.strip_prefix('#')?;
    let short = digits.len() == 3;
    let byte = |i: usize| match short {
        true => u8::from_str_radix(&digits[i..=i].repeat(2), 16),
        false => u8::from_str_radix(&digits[2 * i..2 * i + 2], 16),
    };
    Some([0, 1, 2].map(|i| byte(i).expect("hexadecimal digits")))
}

/// The primaries of sRGB as shares of the full light.
pub fn linear(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|byte| match f64::from(byte) / 255.0 {
        c if c <= 0.04045 => c / 12.92,
        c => ((c + 0.055) / 1.055).powf(2.4),
    })
}

/// Relative luminance as in the accessibility guidelines (WCAG 2).
pub fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = linear(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Words stand out from what they stand on as these guidelines want it of small letters.
pub fn assert_contrast(svg: &str) {
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let number = |tag: &str, name: &str| attribute(tag, name)?.parse::<f64>().ok();
    let mut grounds: Vec<(Rect, [u8; 3])> = Vec::new();
    for line in svg.lines() {
        let tag = line.split_once('>').map_or(line, |(tag, _)| tag);
        let fill = || colour_of(&attribute(tag, "fill")?);
        if tag.starts_with("<rect ") {
            let [x, y, w, h] = ["x", "y", "width", "height"].map(|n| number(tag, n).unwrap_or(0.0));
            grounds.extend(fill().map(|fill| (Rect { x, y, w, h }, fill)));
        } else if tag.starts_with("<text ") {
            let ink = fill().expect("words have a colour");
            let (place, words) = words_of(line).remove(0);
            let centre = Rect {
                x: place.x + place.w / 2.0,
                y: place.y + place.h / 2.0,
                w: 0.0,
                h: 0.0,
            };
            let below = grounds.iter().rev().find(|(rect, _)| centre.within(*rect));
            let ground = below.map_or([255; 3], |(_, fill)| *fill);
            let (ink, ground) = (luminance(ink), luminance(ground));
            let contrast = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
            assert!(contrast >= 4.5, "{words:?} has a contrast of {contrast:.2}");
        }
    }
}
