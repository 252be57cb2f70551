//! Question weights and flags.

use crate::data::Matrix;
use crate::page::{Page, count, percent, signed, whole_percent};
use crate::plot::{Plot, Scale};
use crate::questions::{self, Damage, LEARNERS, Outcome, summary};

/// The page.
pub fn page(matrices: &[Matrix]) -> Page {
    let outcomes = questions::outcomes(matrices, &LEARNERS);
    let mut page = Page::new(
        "questions",
        "Do question weights pay, and are bad questions found?",
        &answers(&outcomes),
    );
    page.picture(
        "questions_gain",
        "Gain in rank correlation by number of students, for each kind of damage",
        gain_picture(&outcomes),
    );
    page.picture(
        "questions_found",
        "Share of questions called flawed by number of students, for each kind of question",
        found_picture(&outcomes),
    );
    page.section("How it was done");
    page.paragraph(
        "Persons by questions: real tests of knowledge and reasoning, and one questionnaire. Half \
         of the questions, drawn by chance, score the students. Their weights are what `items` \
         makes of the answers of some students; the other students are ranked by the weighted mean \
         of their answers, and compared by Spearman's rank correlation with their plain mean on \
         the other, untouched half. The gain is over equal weights. In the scoring half a tenth or \
         a quarter of the questions, and at least one, are spoilt: the answers are shuffled among \
         all students, or turned round.",
    );
    page.paragraph(&format!(
        "{} random halves a test. Each test is one assessment, so that a question is compared with \
         the other questions of the same half.",
        count(questions::SPLITS as f64)
    ));
    by_damage(&mut page, &outcomes);
    page.section("Test by test");
    page.paragraph("Gain with weights from 100 students.");
    by_test(&mut page, matrices, &outcomes);
    page.section("Limits");
    limits(&mut page, &outcomes);
    page.paragraph(
        "Data: item matrices published with the R packages psychTools, edmdata, ShinyItemAnalysis, \
         mirt and psychotools.",
    );
    page
}

fn answers(outcomes: &[Outcome]) -> Vec<String> {
    let of = |damage, learners| summary(outcomes, damage, learners);
    let [random, wrong] =
        [Damage::Random(0.25), Damage::Reversed(0.25)].map(|damage| of(damage, 100));
    let gains = LEARNERS.map(|learners| signed(of(Damage::None, learners).gain, 3));
    let found =
        LEARNERS.map(|learners| whole_percent(of(Damage::Reversed(0.10), learners).found.share()));
    let accused = LEARNERS.map(|learners| {
        let shares = Damage::ALL.map(|damage| of(damage, learners).accused.share());
        percent(shares.into_iter().fold(0.0, f64::max), 2)
    });
    vec![
        format!(
            "They protect. When a quarter of a test's questions are answered at random, \
             weights made of 100 \
             students' answers raise the rank correlation with the other half of the test from \
             {:.2} to {:.2}; when a quarter have a wrong key, from {:.2} to {:.2}. With sound \
             questions they change next to nothing.",
            random.equal,
            random.equal + random.gain,
            wrong.equal,
            wrong.equal + wrong.gain
        ),
        format!(
            "With sound questions the change is {} with 30 students, {} with 100, {} with \
             300.",
            gains[0], gains[1], gains[2]
        ),
        format!(
            "Of the wrong keys {}, {} and {} are called `flawed` with 30, 100 and 300 students \
             (one question in ten is wrong); of the sound questions at most {}, {} and {}.",
            found[0], found[1], found[2], accused[0], accused[1], accused[2]
        ),
        format!(
            "Questions answered at random are hardly ever called flawed ({}): they show \
             nothing rather than the opposite of the truth. What protects from them is that \
             they weigh little.",
            whole_percent(random.found.share())
        ),
    ]
}

fn by_damage(page: &mut Page, outcomes: &[Outcome]) {
    let rows: Vec<Vec<String>> = LEARNERS
        .iter()
        .flat_map(|&learners| {
            Damage::ALL.map(|damage| {
                let summary = summary(outcomes, damage, learners);
                let found = match damage {
                    Damage::None => String::new(),
                    _ => percent(summary.found.share(), 1),
                };
                vec![
                    learners.to_string(),
                    damage.label(),
                    summary.sets.to_string(),
                    format!("{:.3}", summary.equal),
                    signed(summary.gain, 4),
                    signed(summary.worst, 3),
                    found,
                    percent(summary.accused.share(), 2),
                ]
            })
        })
        .collect();
    page.table(
        &[
            "students",
            "spoilt",
            "tests",
            "equal weights",
            "gain",
            "worst test",
            "spoilt flagged",
            "sound flagged",
        ],
        &rows,
    );
}

fn by_test(page: &mut Page, matrices: &[Matrix], outcomes: &[Outcome]) {
    let rows: Vec<Vec<String>> = matrices
        .iter()
        .map(|matrix| {
            let gain = |damage: Damage| {
                let found = outcomes.iter().find(|outcome| {
                    (outcome.set, outcome.damage, outcome.learners) == (matrix.name, damage, 100)
                });
                found.map_or("too few questions".to_owned(), |outcome| {
                    signed(outcome.gain(), 3)
                })
            };
            let mut row = vec![
                matrix.name.replace('_', " "),
                count(matrix.scores.len() as f64),
                matrix.scores[0].len().to_string(),
            ];
            row.extend(Damage::ALL.map(gain));
            row
        })
        .collect();
    page.table(
        &[
            "test",
            "students",
            "questions",
            "none",
            "10 % random",
            "25 % random",
            "10 % reversed",
            "25 % reversed",
        ],
        &rows,
    );
}

fn limits(page: &mut Page, outcomes: &[Outcome]) {
    let sound = |learners| summary(outcomes, Damage::None, learners);
    page.list(&[
        "Both halves were taken in one sitting. The weights are the same as in a gradebook of many \
         assessments, but what is compared here is two halves of a test, not this month and next."
            .to_owned(),
        format!(
            "Which tests are at hand decides the gain with sound questions: between {} and {} for \
             single tests with 100 students.",
            signed(sound(100).worst, 3),
            signed(best(outcomes, 100), 3)
        ),
        format!(
            "With only 30 students weights cost {} with sound questions. That is little, but more \
             than an earlier study found on a larger choice of tests.",
            signed(sound(30).gain, 3)
        ),
        format!(
            "With 300 students they gain {} with sound questions, between {} and {} for single \
             tests. That study found +0.004 on its own choice of tests; here it is not reached.",
            signed(sound(300).gain, 4),
            signed(sound(300).worst, 3),
            signed(best(outcomes, 300), 3)
        ),
        "Two tests of five questions have no two halves. With 300 students the smaller tests leave \
         too few to rank, so the rows of the table are not of the same tests throughout."
            .to_owned(),
    ]);
}

fn best(outcomes: &[Outcome], learners: usize) -> f64 {
    let clean = outcomes
        .iter()
        .filter(|outcome| outcome.damage == Damage::None && outcome.learners == learners);
    clean.map(Outcome::gain).fold(f64::NEG_INFINITY, f64::max)
}

fn learners_scale() -> Scale {
    let names = LEARNERS.map(|learners| learners.to_string());
    Scale::places("students whose answers were seen", names)
}

fn over_learners(figure: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
    let places = (0..).map(f64::from);
    places.zip(LEARNERS.map(figure)).collect()
}

fn gain_picture(outcomes: &[Outcome]) -> String {
    let gain = Scale::steps("gain in rank correlation", (-0.05, 0.20), 0.05, |v| {
        signed(v, 2)
    });
    let mut plot = Plot::new(
        "What weights gain over equal ones",
        &learners_scale(),
        &gain,
    );
    for damage in Damage::ALL.into_iter().rev() {
        let name = match damage {
            Damage::None => "sound questions".to_owned(),
            damage => damage.label(),
        };
        plot.line(
            &name,
            &over_learners(|learners| summary(outcomes, damage, learners).gain),
        );
    }
    plot.finish()
}

fn found_picture(outcomes: &[Outcome]) -> String {
    let share = Scale::steps("share called flawed", (0.0, 1.0), 0.2, whole_percent);
    let mut plot = Plot::new(
        "Which questions are called flawed",
        &learners_scale(),
        &share,
    );
    for (name, damage) in [
        ("wrong keys, 10 %", Damage::Reversed(0.10)),
        ("wrong keys, 25 %", Damage::Reversed(0.25)),
        ("random, 10 %", Damage::Random(0.10)),
    ] {
        plot.line(
            name,
            &over_learners(|learners| summary(outcomes, damage, learners).found.share()),
        );
    }
    let sound = |learners| {
        summary(outcomes, Damage::Reversed(0.10), learners)
            .accused
            .share()
    };
    plot.line("sound questions", &over_learners(sound));
    plot.finish()
}
