//! Coverage of intervals and calibration of need.

use super::oulad;
use crate::backtest::{BANDS, Case, Predicted, band_label};
use crate::page::{Page, count, percent, whole_percent};
use crate::plot::{Plot, Scale};
use crate::statistics::{Count, mean};

const INTERVALS: [(&str, f64); 2] = [("80 % interval", 0.80), ("95 % interval", 0.95)];

/// The page.
pub fn page(next: &Predicted, ahead: &Predicted) -> Page {
    let mut page = Page::new(
        "uncertainty",
        "Do intervals and need keep their word?",
        &answers(next, ahead),
    );
    page.section("Intervals");
    intervals(&mut page, next, ahead);
    page.section("Need");
    need(&mut page, next, ahead);
    page.section("How it was done");
    page.paragraph(
        "The forecasts of [accuracy](accuracy.md). An outcome is in an interval when it is no \
         further from the level than that, both measured from the mean of those with the same \
         target. The lowest fifth is that of those with the same target.",
    );
    page.section("Limits");
    page.list(&[
        "The degrees of freedom that the cohort's noise lends to a student's own were raised from \
         four to eight after the coverage on these courses had been seen."
            .to_owned(),
        "Single students differ in how much their scores scatter, and a few scores do not show how \
         much. That the share is right for all together does not make each interval right."
            .to_owned(),
    ]);
    oulad(&mut page);
    page
}

fn answers(next: &Predicted, ahead: &Predicted) -> Vec<String> {
    let by_band = |at| BANDS.map(|band| coverage(next, band, at)).into_iter();
    let least = |at| by_band(at).fold(1.0, f64::min);
    let most = |at| by_band(at).fold(0.0, f64::max);
    let certain = bin(ahead, 0.9, 1.01);
    let unlikely = bin(ahead, 0.0, 0.1);
    vec![
        format!(
            "Intervals do, and are rather too wide than too narrow: {} of the next scores lie \
             in their 80 % interval and {} in their 95 % interval, from the first assessment \
             on. Need, read as a forecast of the next result, is too sure of itself.",
            whole_percent(covered(next, 0)),
            whole_percent(covered(next, 1))
        ),
        format!(
            "By number of assessments known, {} to {} lie in the 80 % interval and {} to {} in \
             the 95 % interval.",
            whole_percent(least(0)),
            whole_percent(most(0)),
            whole_percent(least(1)),
            whole_percent(most(1))
        ),
        format!(
            "Need is about where a student stands, not about the next result. Of students \
             with a need of at least 90 %, {} came to be in the lowest fifth of the next 90 \
             days; of those with less than 10 %, {}.",
            whole_percent(certain.low.share()),
            whole_percent(unlikely.low.share())
        ),
    ]
}

fn intervals(page: &mut Page, next: &Predicted, ahead: &Predicted) {
    page.picture(
        "uncertainty_coverage",
        "Share of next scores inside the 80 % and the 95 % interval, by assessments known",
        coverage_picture(next),
    );
    let mut rows: Vec<Vec<String>> = BANDS
        .iter()
        .map(|&band| {
            let mut row = vec![band_label(band)];
            for predicted in [next, ahead] {
                row.push(count(predicted.band(band).count() as f64));
                row.extend([0, 1].map(|at| percent(coverage(predicted, band, at), 1)));
            }
            row
        })
        .collect();
    let mut all = vec!["all".to_owned()];
    for predicted in [next, ahead] {
        all.push(count(predicted.cases.len() as f64));
        all.extend([0, 1].map(|at| percent(covered(predicted, at), 1)));
    }
    rows.push(all);
    page.table(
        &[
            "assessments known",
            "next scores",
            "in 80 %",
            "in 95 %",
            "next 90 days",
            "in 80 %",
            "in 95 %",
        ],
        &rows,
    );
    page.paragraph(
        "The interval is that of a later score: the level's own, widened by how far levels drift \
         until then and by the noise of what is predicted. `students` shows the interval of the \
         level alone, which is narrower: it is about where a student stands, not about the next \
         result.",
    );
}

fn need(page: &mut Page, next: &Predicted, ahead: &Predicted) {
    page.picture(
        "uncertainty_need",
        "Share that came to be in the lowest fifth, by need",
        need_picture(next, ahead),
    );
    page.paragraph(
        "`need` is the probability that the true level lies below the cut, which a fifth of the \
         gradebook's levels do. What came is the level and chance together: of students who truly \
         stand below the cut some do well next time, and of those above it some do badly. So the \
         curve must be flatter than the dashed line, the more the noisier the outcome is: the mean \
         of 90 days is nearer to it than a single score. Besides, students who leave have no \
         outcome.",
    );
    let rows: Vec<Vec<String>> = TENTHS
        .iter()
        .map(|&low| {
            let mut row = vec![format!(
                "{} to {}",
                whole_percent(low),
                whole_percent(low + 0.1)
            )];
            for predicted in [next, ahead] {
                let bin = bin(predicted, low, upper(low));
                row.extend([
                    count(bin.need.of),
                    percent(bin.need.share(), 1),
                    percent(bin.low.share(), 1),
                ]);
            }
            row
        })
        .collect();
    page.table(
        &[
            "need",
            "next scores",
            "mean need",
            "came lowest",
            "next 90 days",
            "mean need",
            "came lowest",
        ],
        &rows,
    );
}

const TENTHS: [f64; 10] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// Certainty belongs to the last tenth.
fn upper(low: f64) -> f64 {
    if low == 0.9 { 1.01 } else { low + 0.1 }
}

fn covered(predicted: &Predicted, at: usize) -> f64 {
    mean(predicted.cases.iter().map(|case| case.within(at)))
}

fn coverage(predicted: &Predicted, band: (u32, u32), at: usize) -> f64 {
    mean(predicted.band(band).map(|case| case.within(at)))
}

#[derive(Default)]
struct Bin {
    need: Count,
    low: Count,
}

fn bin(predicted: &Predicted, from: f64, to: f64) -> Bin {
    let mut bin = Bin::default();
    let inside = |case: &&Case| (from..to).contains(&case.need);
    for case in predicted.cases.iter().filter(inside) {
        bin.need.add(case.need);
        bin.low.add(case.low);
    }
    bin
}

fn coverage_picture(next: &Predicted) -> String {
    let names = BANDS.map(band_label);
    let share = Scale::steps(
        "share of next scores inside",
        (0.7, 1.0),
        0.05,
        whole_percent,
    );
    let known = Scale::places("assessments known", names);
    let mut plot = Plot::new("Do intervals hold what comes?", &known, &share);
    for (at, (name, nominal)) in INTERVALS.into_iter().enumerate() {
        let places = (0..).map(f64::from);
        let points: Vec<(f64, f64)> = places
            .zip(BANDS.map(|band| coverage(next, band, at)))
            .collect();
        plot.line(name, &points);
        plot.level(nominal, "");
    }
    plot.finish()
}

fn need_picture(next: &Predicted, ahead: &Predicted) -> String {
    let need = Scale::steps("need", (0.0, 1.0), 0.2, whole_percent);
    let share = Scale::steps(
        "share that came to be in the lowest fifth",
        (0.0, 1.0),
        0.2,
        whole_percent,
    );
    let mut plot = Plot::new("Need and what came", &need, &share);
    plot.diagonal();
    for (name, predicted) in [("next 90 days", ahead), ("next score", next)] {
        let points = TENTHS.map(|low| {
            let bin = bin(predicted, low, upper(low));
            (bin.need.share(), bin.low.share())
        });
        plot.line(name, &points);
    }
    plot.finish()
}
