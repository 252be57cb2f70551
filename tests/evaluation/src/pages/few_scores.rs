//! Students with little data.

use super::oulad;
use crate::data::Course;
use crate::page::{Page, count, percent, whole_percent};
use crate::plot::lying_bars;
use crate::thin::{self, Cohort, Thin};

/// The page.
pub fn page(courses: &[Course]) -> Page {
    let [compared, everyone] =
        [Cohort::Compared, Cohort::Everyone].map(|cohort| thin::thin(courses, cohort));
    let [truly, by_mean, by_need] =
        [compared.truly, compared.by_mean, compared.by_need].map(|count| percent(count.share(), 1));
    let mut page = Page::new(
        "few_scores",
        "Are students with few scores treated fairly?",
        &[
            format!(
                "Of the students with the fewest scores of their course, {truly} truly belong to \
                 the lowest fifth of the next 90 days. By the plain mean {by_mean} of them are \
                 flagged, by `need` {by_need}."
            ),
            format!(
                "Of the true lowest fifth of all students, `need` finds {} and the plain mean {} \
                 (chance is 20 %).",
                percent(compared.found_by_need.share(), 1),
                percent(compared.found_by_mean.share(), 1)
            ),
            format!(
                "That is so when the gradebook holds those who are compared. When it also holds \
                 students who are about to leave, {} of those with few scores are flagged.",
                percent(everyone.by_need.share(), 1)
            ),
        ],
    );
    let bars = [
        ("plain mean", compared.by_mean),
        ("level", compared.by_level),
        ("need", compared.by_need),
    ];
    let truth = format!("truth {truly}");
    page.picture(
        "few_scores",
        "Share of those with the fewest scores that is flagged by plain mean, level and need",
        lying_bars(
            "Flagged of those with the fewest scores",
            "a fifth of each course is flagged",
            &bars.map(|(name, count)| (name.to_owned(), count.share())),
            |share| percent(share, 1),
            Some((compared.truly.share(), &truth)),
        ),
    );
    page.section("How it was done");
    page.paragraph(&format!(
        "Real university courses, {} presentations, looked at on days {}. Compared are students \
         with a score so far and at least two in the next 90 days ({} cases). In each course a \
         fifth is flagged, by lowest plain mean, by lowest level, or by greatest need; the truth \
         is the lowest fifth by the mean of the scores in the next 90 days, difficulty taken out. \
         The fewest scores: the lowest third of the course by their number, equal numbers sharing \
         their place, which is {} of all.",
        courses.len(),
        thin::DAYS.map(|day| day.to_string()).join(", "),
        count(compared.thin.of),
        whole_percent(compared.thin.share())
    ));
    let row = |name: &str, thin: Thin| {
        let mut row = vec![name.to_owned()];
        let shares = [
            thin.truly,
            thin.by_mean,
            thin.by_level,
            thin.by_need,
            thin.found_by_need,
        ];
        row.extend(shares.map(|count| percent(count.share(), 1)));
        row
    };
    page.table(
        &[
            "in the gradebook",
            "truly lowest",
            "by plain mean",
            "by level",
            "by need",
            "of all found by need",
        ],
        &[
            row("those who are compared", compared),
            row("everyone", everyone),
        ],
    );
    page.section("Limits");
    page.list(&[
        "The cut is the lowest fifth of the gradebook. When it still holds students who are about \
         to leave, fewer of those who stay lie below the cut; a fifth of those who stay then \
         reaches above it, where a wide interval means more need."
            .to_owned(),
        "Students who leave, or hand in fewer than two tasks in the next 90 days, are not \
         compared; [missing work](missing_work.md) is for them."
            .to_owned(),
    ]);
    oulad(&mut page);
    page
}
