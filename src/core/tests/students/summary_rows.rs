//! Rows that sum up students and came in as students: found, and not found among real students.

use pg_assess_core::gradebook::{Gradebook, MaxScore};
use pg_assess_core::ledger::Scope;
use pg_assess_core::solve;
use pg_assess_core::students::summary_rows::{SummaryKind, kind_of_name};
use pg_assess_test_support::{OwnId, OwnRow, go, gradebook, normal, row, shuffled};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Students by questions, in points; and rows beneath them.
struct Sheet {
    maxima: Vec<f64>,
    names: Vec<String>,
    points: Vec<Vec<Option<f64>>>,
}

impl Sheet {
    fn new(seed: u64, students: usize, maxima: &[f64]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ease: Vec<f64> = maxima.iter().map(|_| 0.5 + normal(&mut rng)).collect();
        let points = (0..students).map(|_| {
            let ability = 1.2 * normal(&mut rng);
            let score = |(max, ease): (&f64, &f64)| {
                let chance = 1.0 / (1.0 + (-ability - ease).exp());
                let right = (0..*max as usize).filter(|_| rng.gen_bool(chance));
                Some(right.count() as f64)
            };
            maxima.iter().zip(&ease).map(score).collect()
        });
        Self {
            maxima: maxima.to_vec(),
            points: points.collect(),
            names: (0..students).map(|at| format!("student {at}")).collect(),
        }
    }

    fn column(&self, at: usize) -> impl Iterator<Item = f64> {
        self.points.iter().filter_map(move |points| points[at])
    }

    fn with(mut self, name: &str, of: impl Fn(&Self, usize) -> f64) -> Self {
        let row = (0..self.maxima.len())
            .map(|at| Some(of(&self, at)))
            .collect();
        self.points.push(row);
        self.names.push(name.to_owned());
        self
    }

    fn mean(self, name: &str) -> Self {
        self.with(name, |sheet, at| {
            let mean = sheet.column(at).sum::<f64>() / sheet.points.len() as f64;
            (100.0 * mean).round() / 100.0
        })
    }

    fn most(self, name: &str) -> Self {
        self.with(name, |sheet, at| sheet.column(at).fold(0.0, f64::max))
    }

    fn rows(&self) -> Vec<OwnRow> {
        let students = self.names.iter().zip(&self.points);
        let rows = students.flat_map(|(name, points)| {
            let answers = (0..).zip(points).zip(&self.maxima);
            answers.map(move |((item, score), max)| OwnRow {
                student: Some(OwnId::Text(name.clone())),
                score: *score,
                max_score: MaxScore::Points(Some(*max)),
                ..row(0, item, 1, 0.0, 0.0)
            })
        });
        rows.collect()
    }

    fn found(&self) -> Vec<(String, SummaryKind)> {
        found(&self.rows())
    }
}

fn found(rows: &[OwnRow]) -> Vec<(String, SummaryKind)> {
    let bytes = gradebook(rows);
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let found = solve::summary_rows(&book, &Scope::default(), &go).expect("rows");
    let named = |row: &solve::SummaryRow| (book.students().get(row.student).to_string(), row.kind);
    found.iter().map(named).collect()
}

fn is(name: &str, kind: SummaryKind) -> (String, SummaryKind) {
    (name.to_owned(), kind)
}

const TEST: [f64; 10] = [1.0; 10];
const MIXED: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 4.0, 3.0, 10.0, 6.0];

#[test]
fn the_mean_of_all_is_found_by_what_it_is() {
    for seed in 0..50 {
        for maxima in [&TEST[..], &MIXED[..]] {
            let sheet = Sheet::new(seed, 28, maxima).mean("10029");
            assert_eq!(sheet.found(), [is("10029", SummaryKind::Mean)], "{seed}");
            // The exporter took the mean before it wrote the maxima.
            let sheet = Sheet::new(seed, 28, maxima).mean("10029");
            let sheet = sheet.with("Maximum", |sheet, at| sheet.maxima[at]);
            let both = [
                is("10029", SummaryKind::Mean),
                is("Maximum", SummaryKind::Maximum),
            ];
            assert_eq!(sheet.found(), both, "{seed}");
        }
    }
}

#[test]
fn the_most_that_anybody_had_is_found_where_nobody_had_all() {
    let long: Vec<f64> = (0..30).map(|at| 40.0 + f64::from(at % 5)).collect();
    let mut missed = 0;
    for seed in 0..50 {
        let mut sheet = Sheet::new(seed, 40, &long);
        for points in sheet.points.iter_mut().flatten() {
            *points = points.map(|points| (points * 0.8).floor());
        }
        let sheet = sheet.most("x");
        match sheet.found() {
            found if found.is_empty() => missed += 1,
            found => assert_eq!(found, [is("x", SummaryKind::Maximum)], "{seed}"),
        }
    }
    // A student who comes close to the most on many questions makes the row a student who might be.
    assert!(missed <= 35, "{missed} of 50");
}

#[test]
fn a_name_helps_and_is_not_enough() {
    for seed in 0..50 {
        let named =
            Sheet::new(seed, 28, &MIXED).with("Points possible", |sheet, at| sheet.maxima[at]);
        assert_eq!(named.found(), [is("Points possible", SummaryKind::Maximum)]);
        let mut called = Sheet::new(seed, 28, &MIXED);
        called.names[3] = "Mean".to_owned();
        called.names[4] = "Maximum".to_owned();
        if called.points[4]
            .iter()
            .zip(MIXED)
            .any(|(p, max)| *p < Some(max))
        {
            assert_eq!(called.found(), [], "{seed}");
        }
    }
    assert_eq!(kind_of_name(" Class Average: "), Some(SummaryKind::Mean));
    assert_eq!(kind_of_name("Max"), None);
}

#[test]
fn order_does_not_matter() {
    for seed in 0..10 {
        let sheet = Sheet::new(seed, 28, &MIXED).mean("Mean").most("Maximum");
        let rows = sheet.rows();
        assert_eq!(found(&shuffled(&rows, seed)), found(&rows));
    }
}

#[test]
fn students_who_are_perfect_average_or_alike_are_none() {
    let mut false_alarms = 0;
    for seed in 0..2000 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let questions = rng.gen_range(3..40);
        let max = [1.0, 1.0, 4.0, 10.0, 100.0][rng.gen_range(0..5)];
        let students = rng.gen_range(5..60);
        let mut sheet = Sheet::new(seed, students, &vec![max; questions]);
        // Nobody is given all points.
        if max > 1.0 && rng.gen_bool(0.3) {
            for points in sheet.points.iter_mut().flatten() {
                *points = points.map(|points| points.min((0.8 * max).floor()));
            }
        }
        // One is right on everything, or as good as anybody; one is as near to the mean as a
        // student can be.
        let sheet = match rng.gen_range(0..3) {
            0 => sheet.with("perfect", |sheet, at| sheet.maxima[at]),
            1 => sheet.with("the best", |sheet, at| {
                sheet.column(at).fold(0.0, f64::max) - if at % 7 == 0 { 1.0 } else { 0.0 }
            }),
            _ => sheet,
        };
        let sheet = sheet.with("student 99", |sheet, at| {
            let mean = sheet.column(at).sum::<f64>() / sheet.points.len() as f64;
            (mean + 0.02 * max * (at as f64).sin()).round()
        });
        if !sheet.found().is_empty() {
            false_alarms += 1;
            println!(
                "{seed}: {students} students, {questions} questions of {max}: {:?}",
                sheet.found()
            );
        }
    }
    assert_eq!(false_alarms, 0, "of 2000");
}

/// One mark for the whole sheet, given once for each criterion: whoever is near the mean is so
/// everywhere.
#[test]
fn one_mark_on_every_criterion_makes_nobody_a_mean() {
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = Vec::new();
        for student in 0..30 {
            let mark = (50.0 + 15.0 * normal(&mut rng)).round().clamp(0.0, 100.0) / 100.0;
            // The rounding of a criterion may differ by half a point.
            let about =
                |item: i64| (mark + 0.005 * ((student + item) % 3 - 1) as f64).clamp(0.0, 1.0);
            rows.extend((0..8).map(|item| row(student, item, 1, about(item), 0.0)));
        }
        assert_eq!(found(&rows), [], "{seed}");
    }
}
