//! Trends.

use pg_assess_core::students::trend::Direction;

use super::oulad;
use crate::data::Course;
use crate::page::{Page, count, percent, signed, whole_percent};
use crate::plot::{Plot, Scale, lying_bars};
use crate::statistics::{Count, mean, over_groups};
use crate::trend::{self, Chance, Future, Labels, View};

/// The page.
pub fn page(courses: &[Course]) -> Page {
    let [day, whole] = [View::Default, View::Whole].map(|view| {
        let chance = trend::chance(courses, view);
        Chance {
            real: Labels::pool(chance.iter().map(|course| &course.real)),
            shuffled: Labels::pool(chance.iter().map(|course| &course.shuffled)),
        }
    });
    let by_course = trend::futures(courses);
    let futures: Vec<&Future> = by_course.iter().flatten().collect();
    let mut page = Page::new(
        "trend",
        "Is a trend more than chance, and does it last?",
        &answers(&day, &by_course),
    );
    page.picture(
        "trend_chance",
        "Share of students called falling or rising, on shuffled and on real dates",
        chance_picture(&day, &whole),
    );
    page.picture(
        "trend_change",
        "Distribution of the later change for those called falling, rising and unclear",
        change_picture(&futures),
    );
    page.section("How it was done");
    page.paragraph(&format!(
        "Real university courses, {} presentations, each assessment one item. **Chance:** each \
         student's dates were shuffled among that student's scores, four times, and the trends \
         taken as if the data were real: on day {} with the default window of 180 days, and after \
         the end of the course over everything. Only students with at least five dates over 28 \
         days count, as nobody else is ever labelled. **Lasting:** students with at least {} dates \
         up to day {} and scores after it. Change is the mean of the later scores less that of the \
         earlier ones, difficulty taken out (fitted on the whole course).",
        courses.len(),
        trend::DAY_OF_LOOKING,
        trend::DATES,
        trend::DAY_OF_LOOKING
    ));
    chance_table(&mut page, &day, &whole);
    change_table(&mut page, &futures);
    page.section("Limits");
    page.list(&[
        format!(
            "Chance alone labels {} of students, and {} are labelled in truth: a label is a reason \
             to look, not a finding.",
            percent(day.shuffled.moving(), 1),
            percent(day.real.moving(), 1)
        ),
        "`steady` is as common on shuffled dates: it says that scores scatter little, which has \
         hardly to do with their order."
            .to_owned(),
        "Adults at a distance university, with a handful of scores each.".to_owned(),
        "Students who leave have no later scores and are not in the second table.".to_owned(),
    ]);
    oulad(&mut page);
    page
}

fn lower(change: f64) -> bool {
    change < 0.0
}

fn higher(change: f64) -> bool {
    change > 0.0
}

fn answers(day: &Chance, by_course: &[Vec<Future>]) -> Vec<String> {
    let futures = || by_course.iter().flatten();
    let falling = trend::lasting(futures(), Some(Direction::Falling), lower);
    let rising = trend::lasting(futures(), Some(Direction::Rising), higher);
    let all_lower = trend::lasting(futures(), None, lower);
    let all_higher = trend::lasting(futures(), None, higher);
    let mut dropped = Count::default();
    for future in futures().filter(|future| future.change < -0.05) {
        dropped.add(f64::from(future.direction == Direction::Falling));
    }
    let interval = over_groups(by_course, |drawn| {
        let futures = drawn.iter().copied().flatten();
        trend::lasting(futures, Some(Direction::Falling), lower).share()
    });
    vec![
        format!(
            "When each student's dates are shuffled, so that there is nothing to see, {} of \
             students are called falling or rising (the goal is at most 5 %); with the real \
             dates {} are. A trend describes the past and foresees little.",
            percent(day.shuffled.moving(), 1),
            percent(day.real.moving(), 1)
        ),
        format!(
            "Of the {} students called falling on day {}, {} had lower scores afterwards \
             (95 % interval {} to {}), against {} of all; of the {} called rising, {} had \
             higher ones, against {} of all.",
            count(falling.of),
            trend::DAY_OF_LOOKING,
            whole_percent(falling.share()),
            whole_percent(interval.0),
            whole_percent(interval.1),
            whole_percent(all_lower.share()),
            count(rising.of),
            whole_percent(rising.share()),
            whole_percent(all_higher.share())
        ),
        format!(
            "Of the students who later dropped by more than 5 points in a hundred, {} had \
             been called falling. The absence of a trend means nothing.",
            whole_percent(dropped.share())
        ),
    ]
}

fn chance_picture(day: &Chance, whole: &Chance) -> String {
    let bars = [
        ("shuffled dates, day 180", day.shuffled.moving()),
        ("real dates, day 180", day.real.moving()),
        ("shuffled dates, whole course", whole.shuffled.moving()),
        ("real dates, whole course", whole.real.moving()),
    ];
    lying_bars(
        "Called falling or rising",
        "share of students with at least five dates over 28 days",
        &bars.map(|(name, share)| (name.to_owned(), share)),
        |share| percent(share, 1),
        Some((0.05, "at most 5 % by chance")),
    )
}

fn chance_table(page: &mut Page, day: &Chance, whole: &Chance) {
    let row = |name: &str, labels: Labels| {
        vec![
            name.to_owned(),
            count(labels.falling.of),
            percent(labels.falling.share(), 1),
            percent(labels.rising.share(), 1),
            percent(labels.steady.share(), 1),
        ]
    };
    page.table(
        &["dates", "students", "falling", "rising", "steady"],
        &[
            row("real, day 180", day.real),
            row("shuffled, day 180", day.shuffled),
            row("real, whole course", whole.real),
            row("shuffled, whole course", whole.shuffled),
        ],
    );
}

fn change_table(page: &mut Page, futures: &[&Future]) {
    let rows: Vec<Vec<String>> = [
        ("falling", Some(Direction::Falling)),
        ("unclear", Some(Direction::Unclear)),
        ("rising", Some(Direction::Rising)),
        ("all", None),
    ]
    .into_iter()
    .map(|(name, label)| {
        let lower = trend::lasting(futures.iter().copied(), label, lower);
        let changes = futures
            .iter()
            .filter(|future| label.is_none_or(|label| label == future.direction))
            .map(|future| future.change);
        vec![
            name.to_owned(),
            count(lower.of),
            percent(lower.of / futures.len() as f64, 1),
            percent(lower.share(), 1),
            signed(mean(changes), 3),
        ]
    })
    .collect();
    page.table(
        &[
            "label on day 180",
            "students",
            "of all",
            "later lower",
            "mean change",
        ],
        &rows,
    );
}

fn change_picture(futures: &[&Future]) -> String {
    const BIN: f64 = 0.05;
    let change = Scale::steps("later mean less earlier mean", (-0.4, 0.4), 0.1, |v| {
        signed(v, 1)
    });
    let share = Scale::steps(
        "share of students with the label",
        (0.0, 0.4),
        0.1,
        whole_percent,
    );
    let mut plot = Plot::new("What came after day 180", &change, &share);
    for (name, label) in [
        ("called falling", Direction::Falling),
        ("called rising", Direction::Rising),
        ("unclear", Direction::Unclear),
    ] {
        let changes: Vec<f64> = futures
            .iter()
            .filter(|future| future.direction == label)
            .map(|future| future.change)
            .collect();
        let bins: Vec<(f64, f64)> = (-8..8)
            .map(|bin| {
                let low = f64::from(bin) * BIN;
                let inside = changes
                    .iter()
                    .filter(|v| (low..low + BIN).contains(*v))
                    .count();
                (low + BIN / 2.0, inside as f64 / changes.len() as f64)
            })
            .collect();
        plot.line(name, &bins);
    }
    plot.finish()
}
