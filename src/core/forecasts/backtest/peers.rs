//! Students beside each other: what is predicted and what came, measured from the mean of those
//! with the same target, ranked within a date.

use crate::Poll;
use crate::forecasts::backtest::forecast::{Forecast, Prediction};
use crate::forecasts::backtest::known::Candidate;
use crate::forecasts::backtest::method::{Method, SCORES, Target};
use crate::statistics::pairs::sort;
use crate::statistics::rounding::ROUNDING;

/// Students that a student is compared with, including that student; with fewer nobody knows
/// how hard the target was.
const LEAST_PEERS: usize = 5;

/// Hands on the candidates of one date as forecasts, each beside those with the same target.
/// `share` of them are the lowest.
pub(super) fn compare(
    mut candidates: Vec<Candidate>,
    target: Target,
    cut_at: i64,
    share: f64,
    poll: Poll<'_>,
    each: &mut impl FnMut(&Forecast),
) {
    let key = |candidate: &Candidate| (candidate.assessment, candidate.student);
    sort(&mut candidates, |a, b| key(a).cmp(&key(b)), poll);
    for peers in candidates.chunk_by_mut(|a, b| a.assessment == b.assessment) {
        if peers.len() >= LEAST_PEERS {
            centre(peers);
            hand_on(peers, target, cut_at, share, poll, each);
        }
    }
}

fn hand_on(
    peers: &[Candidate],
    target: Target,
    cut_at: i64,
    share: f64,
    poll: Poll<'_>,
    each: &mut impl FnMut(&Forecast),
) {
    let standing = |value: &dyn Fn(&Candidate) -> (f64, f64)| {
        Standing::of(&peers.iter().map(value).collect::<Vec<_>>(), share, poll)
    };
    let observed = standing(&|peer| (peer.observed, 0.0));
    let standings = Method::ALL.map(|method| {
        standing(&|peer| match method {
            // As in `students`: the greatest need first, an unknown one last, then by level.
            Method::Need => (
                peer.need.map_or(f64::MAX, |need| -need),
                peer.values[Method::Level as usize],
            ),
            _ => (peer.values[method as usize], 0.0),
        })
    });
    for (at, peer) in peers.iter().enumerate() {
        poll();
        let prediction = |method: Method| {
            let standing = &standings[method as usize];
            let ordered_only = method == Method::Need;
            let value = peer.values.get(method as usize).copied();
            let spread = peer.spreads.get(method as usize).copied().flatten();
            (!ordered_only || peer.need.is_some()).then(|| Prediction {
                value,
                rank: standing.ranks[at],
                flagged: standing.lowest[at],
                spread,
                within: value
                    .zip(spread)
                    .map(|(value, spread)| spread.holds(peer.observed - value)),
                need: peer.need.filter(|_| ordered_only),
            })
        };
        each(&Forecast {
            student: peer.student,
            cut_at,
            target,
            group: peer.group,
            assessment: peer.assessment,
            assessments: peer.assessments,
            observed: peer.observed,
            observed_rank: observed.ranks[at],
            low: observed.lowest[at],
            predictions: Method::ALL.map(prediction),
        });
    }
}

/// Takes the mean out of what came and out of every score predicted.
fn centre(peers: &mut [Candidate]) {
    let n = peers.len() as f64;
    let mean = peers.iter().map(|peer| peer.observed).sum::<f64>() / n;
    for peer in peers.iter_mut() {
        peer.observed -= mean;
    }
    for at in 0..SCORES {
        let mean = peers.iter().map(|peer| peer.values[at]).sum::<f64>() / n;
        for peer in peers.iter_mut() {
            peer.values[at] -= mean;
        }
    }
}

/// Where each of some values stands.
#[derive(Debug)]
struct Standing {
    /// The middle of a value's places among all, 0..1; tied values have the same.
    ranks: Vec<f64>,
    /// How much of a value belongs to the lowest: those tied at the edge share its places.
    lowest: Vec<f64>,
}

impl Standing {
    /// By the first value, then by the second.
    fn of(values: &[(f64, f64)], share: f64, poll: Poll<'_>) -> Self {
        let n = values.len();
        let mut order: Vec<usize> = (0..n).collect();
        let by_value = |&a: &usize, &b: &usize| {
            let (a, b) = (values[a], values[b]);
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        sort(&mut order, by_value, poll);
        // Whole places, so that a perfect order finds all of them.
        let places = (share * n as f64).round().max(1.0);
        let (mut ranks, mut lowest) = (vec![0.0; n], vec![0.0; n]);
        let mut before = 0.0;
        for tied in order.chunk_by(|&a, &b| {
            let (a, b) = (values[a], values[b]);
            b.0 - a.0 <= ROUNDING && (b.1 - a.1).abs() <= ROUNDING
        }) {
            let count = tied.len() as f64;
            for &at in tied {
                ranks[at] = (before + count / 2.0) / n as f64;
                lowest[at] = ((places - before) / count).clamp(0.0, 1.0);
            }
            before += count;
        }
        Self { ranks, lowest }
    }
}
