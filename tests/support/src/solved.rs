//! Everything the solvers say in one value, and what holds of it whatever the data.

use pg_assess_core::assessments::{AlphaStatus, Assessment};
use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::options::Options;
use pg_assess_core::questions::drift::{Drift, DriftStatus};
use pg_assess_core::solve::Item;
use pg_assess_core::students::explain::Contribution;
use pg_assess_core::students::student::Student;

use crate::solve::{self, Ask};
use crate::{OwnRow, close, go, gradebook};

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
        self.items.iter().for_each(assert_item_sound);
        let sound: Vec<f64> = self
            .items
            .iter()
            .map(|item| &item.quality)
            .filter(|quality| !["flawed", "total"].contains(&quality.status.label()))
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
        let found = self.drifts.iter().map(|drift| drift.item);
        let answered = self.items.iter().filter(|item| item.quality.n > 0);
        assert!(found.eq(answered.map(|item| item.item)));
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
            assert_eq!(assessment.span.is_some(), assessment.n > 0);
            assert_eq!(assessment.mean.is_some(), assessment.n > 0);
            assert!(
                assessment
                    .span
                    .is_none_or(|(first_at, last_at)| first_at <= last_at)
            );
            assert!(assessment.sem.is_none_or(|sem| sem >= 0.0));
            let has_alpha = assessment.alpha_status == AlphaStatus::Ok;
            assert_eq!(assessment.alpha.is_some(), has_alpha, "{assessment:?}");
            assert_eq!(assessment.sem.is_some(), has_alpha, "{assessment:?}");
            assert!(assessment.alpha.is_none_or(|alpha| alpha <= 1.0));
        }
        // Blanks and what waits are the same, by student and by assessment.
        let (students, assessments) = (self.students.iter(), self.assessments.iter());
        let by_student = students.fold((0, 0), |(omitted, waiting), own| {
            (omitted + own.omitted, waiting + own.waiting)
        });
        let by_assessment = assessments.fold((0, 0), |(omitted, waiting), (_, own)| {
            (omitted + own.omitted, waiting + own.waiting)
        });
        assert_eq!(by_student, by_assessment);
    }
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

fn assert_item_sound(item: &Item) {
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
    assert_eq!(item.span.is_some(), quality.n > 0, "{item:?}");
    assert!(
        item.span
            .is_none_or(|(first_at, last_at)| first_at <= last_at)
    );
}
