//! Calibrates the questions of a ledger.

use log::debug;

use crate::Poll;
use crate::ledger::Ledger;
use crate::memory::{self, Result};
use crate::questions::calibrate::answers::{Answers, Tally, tallies};
use crate::questions::calibrate::calibrated::{
    CalibratedItem, Calibration, CalibrationStatus, Estimate,
};
use crate::questions::calibrate::em::{Fit, Model};
use crate::questions::calibrate::information::{self, Covariance};
use crate::questions::calibrate::settings::Settings;
use crate::statistics::distribution::normal_quantile;

/// Steeper than this and a discrimination is a sign of questions that depend on each other, or of
/// too few answers, rather than of quality.
const STEEP: f64 = 4.0;

/// Calibrates the items of a ledger: those with at least `min_answers`; errors come with intervals
/// that cover `confidence` (0 to 1).
pub fn calibrate(
    ledger: Ledger,
    min_answers: f64,
    confidence: f64,
    settings: &Settings,
    poll: Poll<'_>,
) -> Result<Calibration> {
    let tallies = tallies(&ledger);
    let answers = Answers::gather(&ledger, &tallies, min_answers, poll);
    drop(ledger);
    // The two tables of an answer's probability and of the students who gave it, and the
    // information of all items that are linked.
    let cells = 2 * answers.items.len() * settings.nodes as usize;
    let rows = 2 * answers.largest_component().min(information::MAX_LINKED);
    memory::ask(size_of::<f64>() * (2 * cells + rows * rows))?;
    let mut model = Model::new(&answers, settings, poll);
    let fit = (!answers.items.is_empty()).then(|| model.fit(settings));
    if let Some(fit) = &fit {
        debug!(
            "calibrated {} questions in {} steps, log-likelihood {}",
            answers.items.len(),
            fit.run.iterations,
            fit.run.log_likelihood
        );
    }
    let covariances = match &fit {
        Some(fit) if fit.run.converged => information::covariances(&model, &fit.parameters),
        _ => vec![None; answers.items.len()],
    };
    let mut items: Vec<CalibratedItem> = (0..)
        .zip(&tallies)
        .map(|(item, tally)| uncalibrated(item, tally))
        .collect();
    if let Some(fit) = &fit {
        let deviate = normal_quantile(0.5 + confidence / 2.0);
        for (at, &item) in answers.items.iter().enumerate() {
            let item = &mut items[item as usize];
            item.component = Some(answers.components[at] + 1);
            fill(item, fit.parameters[at], covariances[at], deviate);
        }
    }
    items.retain(|item| item.n > 0);
    let warnings = warnings(&items, fit.as_ref(), &answers, &covariances);
    Ok(Calibration {
        items,
        run: fit.map(|fit| fit.run),
        warnings,
    })
}

/// An item as it is before it is calibrated, or if it cannot be.
fn uncalibrated(item: u32, tally: &Tally) -> CalibratedItem {
    CalibratedItem {
        item,
        n: tally.n,
        facility: (!tally.unbounded && tally.n > 0).then(|| tally.sum / tally.n as f64),
        discrimination: None,
        difficulty: None,
        component: None,
        status: match tally {
            tally if !tally.binary() => CalibrationStatus::NotBinary,
            tally if tally.varies() || tally.n < 2 => CalibrationStatus::Insufficient,
            _ => CalibrationStatus::NoVariance,
        },
    }
}

/// Writes down slope `a` and intercept `d`, as discrimination and difficulty, whose error is that
/// of the delta method.
fn fill(item: &mut CalibratedItem, [a, d]: [f64; 2], covariance: Option<Covariance>, deviate: f64) {
    let b = 0.0 - d / a;
    let of_b = |covariance: Covariance| {
        (covariance.dd + b * b * covariance.aa + 2.0 * b * covariance.ad).max(0.0) / (a * a)
    };
    item.discrimination = Estimate::new(a, covariance.map(|covariance| covariance.aa), deviate);
    item.difficulty = Estimate::new(b, covariance.map(of_b), deviate);
    item.status = if a < 0.0 {
        CalibrationStatus::Negative
    } else if a > STEEP {
        CalibrationStatus::Steep
    } else {
        CalibrationStatus::Calibrated
    };
}

/// What a reader of the figures has to know; none where there is nothing.
fn warnings(
    items: &[CalibratedItem],
    fit: Option<&Fit>,
    answers: &Answers,
    covariances: &[Option<Covariance>],
) -> Option<String> {
    let mut notes = Vec::new();
    let Some(fit) = fit else {
        let nothing = "Fewer than three questions with right and wrong answers are linked by \
                       common students: nothing can be calibrated.";
        return (!items.is_empty()).then(|| nothing.to_owned());
    };
    if !fit.run.converged {
        notes.push(format!(
            "The fit did not converge in {} iterations: figures are preliminary, and their errors \
             are not reported.",
            fit.run.iterations
        ));
    }
    let components = answers.components.iter().max().map_or(0, |last| last + 1);
    if components > 1 {
        notes.push(format!(
            "No common students link the {components} components: figures of different components \
             are on different scales."
        ));
    }
    let steep = items.iter().map(|item| item.status);
    let steep = steep
        .filter(|&status| status == CalibrationStatus::Steep)
        .count();
    if steep > 0 {
        notes.push(format!(
            "Questions with a discrimination above {STEEP}: {steep}; they may depend on each other \
             or have too few answers."
        ));
    }
    if fit.run.converged && covariances.iter().any(Option::is_none) {
        notes.push("Some errors are unknown: the answers do not determine the figures.".to_owned());
    }
    if answers.largest_component() > information::MAX_LINKED {
        notes.push(format!(
            "More than {} questions are linked: errors are those of each question as if the \
             others' figures were known, and a few per cent too small.",
            information::MAX_LINKED
        ));
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}
