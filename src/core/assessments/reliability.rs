//! Cronbach's alpha of as many questions as a student answers, also where they answer different
//! ones: questions drawn from a pool, forms, gaps.
//!
//! Where all answer the same questions, alpha is one less the share of error in the variance of the
//! mean scores, and a mean of k scores has the error `(v - c) / k`, with v the mean variance of a
//! question and c the mean covariance of two. This is alpha here, too, with what gaps leave: `v - c`
//! is half the variance of the difference of two scores and comes from whatever pairs there are, and
//! how hard the questions were that one student happened to get is error as well, as in the design
//! of generalizability theory with questions nested in persons (Cronbach, Rajaratnam and Gleser
//! 1963; Brennan 2001).

use crate::Poll;
use crate::assessments::pairs::Pairs;
use crate::assessments::sittings::Sittings;
use crate::labels::labels;
use crate::memory::Result;
use crate::statistics::alpha::{MAX_ITEMS, large_sample_variance};
use crate::statistics::moments::Moments;
use crate::statistics::rounding::CANCELLATION;

/// Students who must share two questions with another one, if there are as many.
const MIN_SHARED: f64 = 10.0;

/// Whether an assessment has an alpha, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlphaStatus {
    Ok,
    /// No question has a score that counts.
    NoScores,
    /// Only one question has a response.
    OneQuestion,
    /// Only one student has a response.
    OneStudent,
    /// More than `MAX_ITEMS`: a bank, and no test.
    TooManyQuestions,
    /// No two students answered the same two questions.
    NothingShared,
    /// Too few students did.
    FewShared,
    /// No question varies, or all students have the same mean score.
    NoVariance,
}

labels!(AlphaStatus {
    Ok => "ok",
    NoScores => "no_scores",
    OneQuestion => "one_question",
    OneStudent => "one_student",
    TooManyQuestions => "too_many_questions",
    NothingShared => "nothing_shared",
    FewShared => "few_shared",
    NoVariance => "no_variance",
});

/// See the fields of `Assessment`.
pub struct Reliability {
    pub alpha: f64,
    pub alpha_se: Option<f64>,
    pub sem: f64,
}

/// The reliability of the students' mean scores, whose variance is given; else why there is none.
pub fn reliability(
    sittings: &Sittings,
    variance: Option<f64>,
    poll: Poll<'_>,
) -> Result<std::result::Result<Reliability, AlphaStatus>> {
    if sittings.question_count() == 1 {
        return Ok(Err(AlphaStatus::OneQuestion));
    }
    let Some(variance) = variance else {
        return Ok(Err(AlphaStatus::OneStudent));
    };
    if sittings.question_count() > MAX_ITEMS {
        return Ok(Err(AlphaStatus::TooManyQuestions));
    }
    let pairs = Pairs::of(sittings, poll)?;
    if pairs.df() == 0.0 {
        return Ok(Err(AlphaStatus::NothingShared));
    }
    // Never more than there are: a class of five has nobody else.
    let least = MIN_SHARED.min(sittings.student_count() as f64);
    let sharing = pairs.sharing_students(sittings, poll) as f64;
    if sharing < least || pairs.df() < least - 1.0 {
        return Ok(Err(AlphaStatus::FewShared));
    }
    let residual = pairs.residual_variance();
    let error = residual / sittings.length() + luck_of_the_draw(sittings, residual, poll);
    let varies = sittings.moments.iter().any(|m| m.sum_of_squares() > 0.0);
    // Rounding leaves a trace of a variance that is 0.
    if !varies || variance <= CANCELLATION * error {
        return Ok(Err(AlphaStatus::NoVariance));
    }
    let alpha = 1.0 - error / variance;
    Ok(Ok(Reliability {
        alpha,
        alpha_se: alpha_se(sittings, &pairs, least, poll),
        sem: variance.sqrt() * (1.0 - alpha).sqrt(),
    }))
}

/// The variance between students of how hard their questions were, by the additive fit of students
/// and questions, without what the noise of the fit adds, question by question; 0 where all
/// answered the same.
fn luck_of_the_draw(sittings: &Sittings, residual: f64, poll: Poll<'_>) -> f64 {
    if sittings.is_complete() {
        return 0.0;
    }
    let effects = sittings.effects(poll);
    let students = sittings.student_count() as f64;
    let mut means = Moments::default();
    // Per question: what it makes of its students' means, and the square of that.
    let mut shares = vec![(0.0, 0.0); effects.len()];
    for (questions, _) in sittings.rows() {
        let share = 1.0 / questions.len() as f64;
        let sum: f64 = questions.iter().map(|&at| effects[at as usize]).sum();
        means.add(share * sum);
        for &at in questions {
            let (sum, squares) = &mut shares[at as usize];
            *sum += share;
            *squares += share * share;
        }
    }
    let noise: f64 = shares
        .iter()
        .zip(&sittings.moments)
        .map(|((sum, squares), answers)| {
            // Of each answer the student's own level takes its share.
            let information = answers.n() - sum;
            if information > CANCELLATION * answers.n() {
                (squares - sum * sum / students) / (students - 1.0) * residual / information
            } else {
                0.0
            }
        })
        .sum();
    (means.variance().unwrap_or(0.0) - noise).max(0.0)
}

/// The large-sample standard error: the formula for the questions that all answer, with its sums as
/// they are on average over the students for the questions of each. A pair that fewer than `least`
/// answered stands in with the mean of all.
fn alpha_se(sittings: &Sittings, pairs: &Pairs, least: f64, poll: Poll<'_>) -> Option<f64> {
    let mean_covariance = pairs.pooled_covariance();
    let sum_of_squares: f64 = sittings.moments.iter().map(Moments::sum_of_squares).sum();
    let df: f64 = sittings.moments.iter().map(|m| m.n() - 1.0).sum();
    let variances: Vec<f64> = sittings
        .moments
        .iter()
        .map(|scores| match scores.variance() {
            Some(variance) if scores.n() >= least => variance,
            _ => sum_of_squares / df,
        })
        .collect();
    let covariance = |one: u32, other: u32| {
        if one == other {
            return variances[one as usize];
        }
        let own = pairs.covariance(one, other, least);
        own.unwrap_or(mean_covariance)
    };
    // Of mean scores: trace, total, squares and products.
    let mut sums = [0.0; 4];
    let (mut students, mut shares) = (0.0, 0.0);
    // All alike where all answered all.
    let different = if sittings.is_complete() {
        1
    } else {
        usize::MAX
    };
    for (questions, _) in sittings.rows().take(different) {
        poll();
        if questions.len() < 2 {
            continue;
        }
        let length = questions.len() as f64;
        students += 1.0;
        shares += 1.0 / length;
        for &one in questions {
            let mut row = 0.0;
            for &other in questions {
                let covariance = covariance(one, other);
                row += covariance;
                sums[2] += covariance.powi(2) / length.powi(4);
            }
            sums[0] += variances[one as usize] / length.powi(2);
            sums[1] += row / length.powi(2);
            sums[3] += row.powi(2) / length.powi(4);
        }
    }
    let [trace, total, squares, products] = sums.map(|sum| sum / students);
    let total = total / trace;
    if total.is_nan() || total <= CANCELLATION {
        return None;
    }
    let variance = large_sample_variance(
        students / shares,
        total,
        squares / trace.powi(2),
        products / trace.powi(2),
    );
    let students = match sittings.is_complete() {
        true => sittings.student_count() as f64,
        false => students,
    };
    Some((variance / students).sqrt())
}
