//! Missing work.

use super::oulad;
use crate::data::Course;
use crate::missing::{self, Accuracy, Case, Ranking};
use crate::page::{Page, count, percent, whole_percent};
use crate::plot::{Plot, Scale};
use crate::statistics::{Count, over_groups};

/// For each of the days, the cases of each course.
type Days = [Vec<Vec<Case>>; 3];

/// The page.
pub fn page(courses: &[Course]) -> Page {
    let days = missing::DAYS.map(|day| missing::cases(courses, day));
    let with_score = days.each_ref().map(|cases| missing::known(cases));
    let mut page = Page::new(
        "missing_work",
        "Does missing work predict who will fail or leave?",
        &answers(&days, &with_score),
    );
    page.picture(
        "missing_work",
        "Chance that one who fails or leaves stands above one who does not, by day and ranking",
        picture(&days),
    );
    page.section("In SQL");
    page.block(
        "sql no-run",
        "WITH now AS (SELECT s.* FROM gradebooks g, assess.students(g.gb) s WHERE g.subject = 'Math')
SELECT r.student_id,
       coalesce(n.raw_level * n.assessments / (n.assessments + n.missing), 0) AS with_missing
FROM roster r LEFT JOIN now n ON n.student = r.student_id::text
ORDER BY with_missing;",
    );
    page.section("How it was done");
    page.paragraph(&format!(
        "Real university courses, {} presentations. On each day everyone still registered is \
         ranked within the course; the outcome is a final result of Fail or Withdrawn. Pairs of \
         one who fails or leaves and one who does not, both of the same course, are counted (the \
         area under the ROC curve). Those without a score have the most missing work; where a \
         ranking says nothing of them, as means and `need` do, they stand in the middle. Intervals \
         are 95 % by the bootstrap over courses.",
        courses.len()
    ));
    by_ranking(&mut page, &days, &with_score);
    failures(&mut page, &days);
    page.section("Limits");
    page.list(&[
        "This is partly a matter of course: who hands in nothing cannot pass.".to_owned(),
        "`due` is inferred from what others handed in, not from a timetable: a task that fewer \
         than half of the active students have done so far is not yet due for anybody."
            .to_owned(),
    ]);
    oulad(&mut page);
    page
}

/// The accuracy of a ranking over all courses.
fn accuracy(courses: &[Vec<Case>], ranking: Ranking) -> Accuracy {
    Accuracy::pool(&missing::accuracies(courses, ranking))
}

fn answers(days: &Days, with_score: &Days) -> Vec<String> {
    let three = |days: &Days, ranking, figure: fn(&Accuracy) -> f64| {
        let [a, b, c] = days
            .each_ref()
            .map(|cases| whole_percent(figure(&accuracy(cases, ranking))));
        format!("{a}, {b} and {c}")
    };
    let found: fn(&Accuracy) -> f64 = |own| own.found.share();
    vec![
        format!(
            "Yes, better than anything else here. Ranked by their mean with missing work \
             counted as 0, and without any score at 0, one who fails or leaves \
             stands above one who does not in {} of \
             pairs on days 60, 120 and 180; by the plain mean of the scores in {}.",
            three(days, Ranking::MissingAsZero, Accuracy::auc),
            three(days, Ranking::Mean, Accuracy::auc)
        ),
        format!(
            "The first fifth of that list holds {} of all who fail or leave on those days; \
             that of the plain mean {}. Chance would be 20 %.",
            three(days, Ranking::MissingAsZero, found),
            three(days, Ranking::Mean, found)
        ),
        format!(
            "These figures count students without a single score at 0, and most of those fail \
             or leave. Among students with a score it is {} of pairs, by the plain mean {}.",
            three(with_score, Ranking::MissingAsZero, Accuracy::auc),
            three(with_score, Ranking::Mean, Accuracy::auc)
        ),
        "So those without a score must come from the roster: no score shows them.".to_owned(),
    ]
}

fn picture(days: &Days) -> String {
    let names = missing::DAYS.map(|day| day.to_string());
    let share = Scale::steps("chance of the right order", (0.6, 1.0), 0.1, whole_percent);
    let title = "Who will fail or leave?";
    let mut plot = Plot::new(title, &Scale::places("day of the course", names), &share);
    for ranking in Ranking::ALL.into_iter().rev() {
        let points = [0, 1, 2].map(|at| (at as f64, accuracy(&days[at], ranking).auc()));
        plot.line(ranking.label(), &points);
    }
    plot.finish()
}

/// How well each ranking does.
fn by_ranking(page: &mut Page, days: &Days, with_score: &Days) {
    let rows: Vec<Vec<String>> = (0..missing::DAYS.len())
        .flat_map(|at| {
            Ranking::ALL.map(|ranking| {
                let accuracies = missing::accuracies(&days[at], ranking);
                let all = Accuracy::pool(&accuracies);
                let (low, high) = over_groups(&accuracies, |drawn| {
                    Accuracy::pool(drawn.iter().copied()).auc()
                });
                vec![
                    missing::DAYS[at].to_string(),
                    ranking.label().to_owned(),
                    format!("{:.3}", all.auc()),
                    format!("{low:.3} to {high:.3}"),
                    whole_percent(all.found.share()),
                    format!("{:.3}", accuracy(&with_score[at], ranking).auc()),
                ]
            })
        })
        .collect();
    page.table(
        &[
            "day",
            "ranked by",
            "right order",
            "interval",
            "found in the first fifth",
            "those with a score only",
        ],
        &rows,
    );
}

/// How many fail or leave with a score and without.
fn failures(page: &mut Page, days: &Days) {
    let rows: Vec<Vec<String>> = (0..missing::DAYS.len())
        .map(|at| {
            let (mut with, mut without) = (Count::default(), Count::default());
            for case in days[at].iter().flatten() {
                let group = if case.known { &mut with } else { &mut without };
                group.add(f64::from(case.failed));
            }
            vec![
                missing::DAYS[at].to_string(),
                count(with.of),
                percent(with.share(), 0),
                count(without.of),
                percent(without.share(), 0),
            ]
        })
        .collect();
    page.table(
        &[
            "day",
            "with a score",
            "fail or leave",
            "without a score",
            "fail or leave",
        ],
        &rows,
    );
}
