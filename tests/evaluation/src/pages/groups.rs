//! Errors by group and by subject.

use pg_assess_core::forecasts::backtest::{Figures, Method};

use super::accuracy::{difference, figure};
use super::oulad;
use crate::backtest::{Predicted, of};
use crate::data::Course;
use crate::groups::{self, Group, Trait};
use crate::page::{Page, count, percent, signed, whole_percent};
use crate::plot::{Plot, Scale};

/// The page.
pub fn page(courses: &[Course], next: &Predicted, ahead: &Predicted) -> Page {
    let (groups, later) = (
        groups::groups(courses, next),
        groups::groups(courses, ahead),
    );
    let modules: Vec<_> = next.by_module().collect();
    let mut page = Page::new(
        "groups",
        "Are all groups and subjects served alike?",
        &answers(&groups, &later, &modules),
    );
    page.picture(
        "groups",
        "Mean error of level and plain mean by group, with intervals",
        picture(&groups),
    );
    page.section("By group");
    by_group(&mut page, &groups, &later);
    page.section("By subject");
    by_subject(&mut page, &modules);
    page.section("How it was done");
    page.paragraph(
        "The forecasts of [accuracy](accuracy.md), divided by what the roster says. The product \
         sees none of it. Deprivation is that of the area where the student lives (Index of \
         Multiple Deprivation), not of the student.",
    );
    page.section("Limits");
    page.list(&[
        "With so many groups some differ by chance.".to_owned(),
        "An equal error does not make equal need: groups that do worse are on the list more often \
         because they do worse. No score shows why that is so."
            .to_owned(),
        "Students who leave early have no later score, and groups differ in how many leave."
            .to_owned(),
    ]);
    oulad(&mut page);
    page
}

/// A difference in points of a hundred.
fn points(share: f64) -> String {
    signed(100.0 * share, 1)
}

fn answers(groups: &[Group], later: &[Group], modules: &[(&str, Vec<Figures>)]) -> Vec<String> {
    let error = |group: &Group| group.total().error.share();
    let furthest = groups
        .iter()
        .max_by(|a, b| error(a).abs().total_cmp(&error(b).abs()))
        .expect("groups");
    let rmse = groups.iter().map(|group| 100.0 * group.total().rmse());
    let (least, most) = rmse.fold((f64::INFINITY, 0.0_f64), |(least, most), rmse| {
        (least.min(rmse), most.max(rmse))
    });
    let excess = |group: &Group| group.total().flagged.share() - group.total().low.share();
    let fewest = later
        .iter()
        .min_by(|a, b| excess(a).total_cmp(&excess(b)))
        .expect("groups");
    let overmost = later
        .iter()
        .max_by(|a, b| excess(a).total_cmp(&excess(b)))
        .expect("groups");
    let better = modules
        .iter()
        .filter(|(_, figures)| {
            let own = of(figures, Method::Level).differences[0];
            own.and_then(|own| own.high).is_some_and(|high| high < 0.0)
        })
        .count();
    vec![
        format!(
            "Nearly. Of {} groups by gender, age, deprivation, disability and region none is \
             misjudged by more than {:.1} points in a hundred on average ({}: {}), where a \
             single score is missed by {:.0} to {:.0}.",
            groups.len(),
            100.0 * error(furthest).abs(),
            furthest.name,
            points(error(furthest)),
            least,
            most
        ),
        "But the small errors have a direction: groups that do worse than the rest are judged \
         slightly too well, and those that do better slightly too badly. Scores regress to \
         the mean of a group, but levels are drawn to the mean of all, as the product knows \
         nothing of groups."
            .to_owned(),
        format!(
            "The share of a group that need names differs from the share that came to be \
             among the lowest fifth of the next 90 days by {} points ({}) to {} points ({}).",
            points(excess(fewest)),
            fewest.name,
            points(excess(overmost)),
            overmost.name
        ),
        format!(
            "In {better} of {} modules the level misses the next score by less than the plain \
             mean does, beyond chance.",
            modules.len()
        ),
    ]
}

fn by_group(page: &mut Page, groups: &[Group], later: &[Group]) {
    let rows: Vec<Vec<String>> = groups
        .iter()
        .zip(later)
        .map(|(group, later)| {
            let (own, ahead) = (group.total(), later.total());
            assert_eq!(group.name, later.name, "the same groups");
            let (low, high) = group.interval(|sums| sums.error.share());
            vec![
                group.name.clone(),
                count(own.error.of),
                format!(
                    "{} ({} to {})",
                    points(own.error.share()),
                    points(low),
                    points(high)
                ),
                points(own.error_of_mean.share()),
                format!("{:.1}", 100.0 * own.rmse()),
                whole_percent(own.within.share()),
                percent(ahead.low.share(), 1),
                percent(ahead.flagged.share(), 1),
                whole_percent(ahead.found.share()),
            ]
        })
        .collect();
    page.table(
        &[
            "group",
            "next scores",
            "mean error of the level",
            "of the plain mean",
            "typical error",
            "in 80 %",
            "truly lowest",
            "named by need",
            "of these found",
        ],
        &rows,
    );
    page.paragraph(
        "Errors are of the next score in points of a hundred, score less level: above 0 the group \
         did better than its levels said. The last three columns are about the next 90 days: how \
         many of the group truly came to be in the lowest fifth of their course, how many need \
         names as such, and how many of the truly lowest it finds. In brackets 95 % intervals by \
         drawing whole courses.",
    );
}

fn by_subject(page: &mut Page, modules: &[(&str, Vec<Figures>)]) {
    let rows: Vec<Vec<String>> = modules
        .iter()
        .map(|(module, figures)| {
            let (plain, level) = (of(figures, Method::OverallMean), of(figures, Method::Level));
            vec![
                (*module).to_owned(),
                count(level.n as f64),
                figure(plain.rmse, 4),
                figure(level.rmse, 4),
                difference(level.differences[0], 4),
                figure(plain.rank_correlation, 3),
                figure(level.rank_correlation, 3),
                difference(level.differences[1], 3),
                figure(level.recall, 3),
            ]
        })
        .collect();
    page.table(
        &[
            "module",
            "next scores",
            "error of the mean",
            "of the level",
            "difference",
            "rank correlation of the mean",
            "of the level",
            "difference",
            "recall of the level",
        ],
        &rows,
    );
    page.paragraph(
        "Three modules are in the social sciences (AAA, BBB, GGG) and four in science and \
         technology (CCC to FFF). In brackets 95 % intervals by drawing students.",
    );
}

fn picture(groups: &[Group]) -> String {
    // Regions are in the table.
    let shown: Vec<&Group> = groups
        .iter()
        .filter(|group| group.of != Trait::Region)
        .rev()
        .collect();
    let x = Scale::steps(
        "points in a hundred: score less level",
        (-4.0, 4.0),
        1.0,
        |v| signed(v, 0),
    );
    let names = shown.iter().map(|group| group.name.clone());
    let y = Scale::places(
        "mean error of the next score, 95 % intervals by courses",
        names,
    );
    let mut plot = Plot::named("Who did better than predicted?", &x, &y);
    plot.upright(0.0);
    for (name, shift, figure) in [
        (
            "level",
            0.15,
            (|sums| sums.error.share()) as fn(&groups::Sums) -> f64,
        ),
        ("plain mean", -0.15, |sums| sums.error_of_mean.share()),
    ] {
        let points: Vec<(f64, f64, (f64, f64))> = (0..)
            .map(f64::from)
            .zip(&shown)
            .map(|(place, group)| {
                let (low, high) = group.interval(figure);
                let value = 100.0 * figure(&group.total());
                (value, place + shift, (100.0 * low, 100.0 * high))
            })
            .collect();
        plot.intervals(name, &points);
    }
    plot.finish()
}
