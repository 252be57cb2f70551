//! Half-lives.

use pg_assess_core::forecasts::half_life::{Advice, Trial};

use super::oulad;
use crate::data::Course;
use crate::half_life::{advice, excess};
use crate::page::{Page, count, percent, whole_percent};
use crate::plot::{Plot, Scale};

/// The page.
pub fn page(courses: &[Course]) -> Page {
    let advice = advice(courses);
    let mut page = Page::new("half_life", "Which half-life fits?", &answers(&advice));
    page.picture(
        "half_life",
        "Error over half-lives, by module",
        picture(&advice),
    );
    by_module(&mut page, &advice);
    page.section("How it was done");
    page.paragraph(
        "What `assess.half_life_advice` reports for all presentations of a module in one \
         gradebook; a student of two presentations is two. Every score with at least three before \
         it is predicted from these under each half-life, with difficulty taken out and drawn to \
         the cohort. Costs are the root mean square error over that of the best, as a share of it. \
         Equally good is what cannot be distinguished from the best by drawing students (95 %), or \
         is within 1 % of it. What drift suggests comes from how the difference of two scores of a \
         student grows with the days between them (a variogram), kept within 14 to 365 days; its \
         cost is that of the half-lives next to it, in proportion.",
    );
    page.section("Limits");
    page.list(&[
        "Each curve is from the data it is judged by, so the best is a little flattered."
            .to_owned(),
        "The courses last some nine months and tasks are weeks apart. Daily exercises or yearly \
         tests want another half-life: ask `half_life_advice` of them, with the classes of a \
         subject together."
            .to_owned(),
    ]);
    oulad(&mut page);
    page
}

fn answers(advice: &[(Option<&str>, Advice)]) -> Vec<String> {
    let modules: Vec<&Advice> = advice
        .iter()
        .filter_map(|(module, advice)| module.map(|_| advice))
        .collect();
    let all = &advice.last().expect("all as one").1;
    let kept = modules
        .iter()
        .filter(|advice| trial(advice, |own| own.in_use).indistinguishable)
        .count();
    let costs = |half_life: Option<f64>| {
        let costs = modules.iter().map(|advice| cost(advice, half_life));
        costs.fold((f64::INFINITY, 0.0_f64), |(least, most), cost| {
            (least.min(cost), most.max(cost))
        })
    };
    let (short, none, sixty) = (costs(Some(14.0)), costs(None), costs(Some(60.0)));
    let (from, to) = range(all);
    let hints = modules.iter().filter_map(|advice| cost_of_hint(advice));
    let hint = hints.fold(0.0, f64::max);
    vec![
        format!(
            "It hardly matters, as long as it is not short: over all courses half-lives from \
             {from} to {to} predict scores equally well. The 60 days in use cost at most {} \
             of the error in any module.",
            percent(sixty.1, 1)
        ),
        format!(
            "In {kept} of {} modules 60 days cannot be distinguished from the best. No decay \
             at all costs {} to {}, a half-life of 14 days {} to {}.",
            modules.len(),
            percent(none.0, 1),
            percent(none.1, 1),
            percent(short.0, 1),
            percent(short.1, 1)
        ),
        format!(
            "How fast scores drift apart suggests a half-life without trying any. It is a \
             hint only: it would cost up to {}, and in {} modules there is no drift to see.",
            percent(hint, 1),
            modules
                .iter()
                .filter(|advice| advice.variogram.is_none())
                .count()
        ),
    ]
}

fn by_module(page: &mut Page, advice: &[(Option<&str>, Advice)]) {
    let rows: Vec<Vec<String>> = advice
        .iter()
        .map(|(module, advice)| {
            let (from, to) = range(advice);
            let costs = |half_life| percent(cost(advice, half_life), 1);
            vec![
                module.unwrap_or("all").to_owned(),
                count(advice.students as f64),
                count(advice.n as f64),
                days(trial(advice, |own| own.is_best).half_life),
                format!("{from} to {to}"),
                advice
                    .variogram
                    .map_or("no drift".to_owned(), |own| days(Some(own))),
                cost_of_hint(advice).map_or(String::new(), |cost| percent(cost, 1)),
                costs(Some(14.0)),
                costs(Some(30.0)),
                costs(Some(60.0)),
                costs(None),
            ]
        })
        .collect();
    page.table(
        &[
            "module",
            "students",
            "scores",
            "best",
            "equally good",
            "drift suggests",
            "which costs",
            "14 days cost",
            "30 days",
            "60 days",
            "no decay",
        ],
        &rows,
    );
}

fn trial(advice: &Advice, which: impl Fn(&Trial) -> bool) -> &Trial {
    let mut trials = advice.trials.iter();
    trials.find(|trial| which(trial)).expect("a trial")
}

fn cost(advice: &Advice, half_life: Option<f64>) -> f64 {
    excess(trial(advice, |own| own.half_life == half_life))
}

/// What the half-life that the drift suggests would cost, in between those that were tried.
fn cost_of_hint(advice: &Advice) -> Option<f64> {
    let hint = advice.variogram?;
    let own = |trial: &Trial| Some((trial.half_life?, excess(trial)));
    let tried: Vec<(f64, f64)> = advice.trials.iter().filter_map(own).collect();
    let pair = tried.windows(2).find(|pair| hint <= pair[1].0)?;
    let [(low, of_low), (high, of_high)] = [pair[0], pair[1]];
    Some(of_low + (of_high - of_low) * (hint - low) / (high - low))
}

/// From the shortest to the longest about the best that cannot be distinguished from it.
fn range(advice: &Advice) -> (String, String) {
    let trials = &advice.trials;
    let best = trials
        .iter()
        .position(|trial| trial.is_best)
        .expect("the best");
    let run = |places: &mut dyn Iterator<Item = usize>| {
        let last = places.take_while(|&at| trials[at].indistinguishable).last();
        days(trials[last.unwrap_or(best)].half_life)
    };
    (run(&mut (0..=best).rev()), run(&mut (best..trials.len())))
}

fn days(half_life: Option<f64>) -> String {
    half_life.map_or("no decay".to_owned(), |days| format!("{days:.0} days"))
}

fn picture(advice: &[(Option<&str>, Advice)]) -> String {
    let names = advice[0].1.trials.iter().map(|trial| {
        let days = |days: f64| format!("{days:.0}");
        trial.half_life.map_or("none".to_owned(), days)
    });
    let half_life = Scale::places("half-life in days", names);
    let cost = Scale::steps(
        "error over that of the best",
        (0.0, 0.08),
        0.02,
        whole_percent,
    );
    let mut plot = Plot::new("What a half-life costs", &half_life, &cost);
    for (module, advice) in advice.iter().filter(|(module, _)| module.is_some()) {
        let places = (0..).map(f64::from);
        let points: Vec<(f64, f64)> = places.zip(advice.trials.iter().map(excess)).collect();
        plot.line(module.expect("a module"), &points);
    }
    plot.finish()
}
