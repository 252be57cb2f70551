//! The curve of a question: how well students of each level do on it.

mod svg;
mod vega;

use pg_assess_core::questions::curve::LevelGroup;
use pg_assess_core::questions::quality::ItemStatus;
use serde::Deserialize;

use crate::layout::usable;
use crate::rows::{Of, figure};
use crate::words::{decimal, percent};

/// A question, and the groups of students who answered it, from the lowest level. What of a
/// question has no maximum has nothing that is expected.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemCurve {
    pub of: Of,
    pub item: String,
    /// Mean score of all who answered it.
    #[serde(deserialize_with = "figure")]
    pub facility: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub discrimination: Option<f64>,
    /// The interval of the discrimination.
    #[serde(deserialize_with = "figure")]
    pub ci_low: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub ci_high: Option<f64>,
    /// What the question is found to be, and how well it separates.
    pub status: Option<String>,
    pub label: Option<String>,
    pub groups: Vec<Group>,
}

/// Students of about the same level, and how they did.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[serde(deserialize_with = "figure")]
    pub lowest: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub highest: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub level: Option<f64>,
    pub students: u64,
    #[serde(deserialize_with = "figure")]
    pub score: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub ci_low: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub ci_high: Option<f64>,
    #[serde(deserialize_with = "figure")]
    pub expected: Option<f64>,
}

impl From<LevelGroup> for Group {
    fn from(group: LevelGroup) -> Self {
        Self {
            lowest: Some(group.lowest),
            highest: Some(group.highest),
            level: Some(group.level),
            students: group.students,
            score: Some(group.score),
            ci_low: group.ci_low,
            ci_high: group.ci_high,
            expected: group.expected,
        }
    }
}

impl ItemCurve {
    fn title(&self) -> String {
        let words = format!("who does well on question {}?", self.item);
        self.of.title(&words)
    }

    /// Whether scores are shares.
    fn is_bounded(&self) -> bool {
        self.groups.iter().all(|group| group.expected.is_some())
    }

    /// What else is known of the question.
    fn words(&self) -> String {
        let mut parts = Vec::new();
        if let Some(facility) = usable(self.facility) {
            parts.push(format!("mean score {} %", percent(facility, 0)));
        }
        if let Some(discrimination) = usable(self.discrimination) {
            let mut part = format!("discrimination {}", decimal(discrimination, 2));
            if let Some((low, high)) = usable(self.ci_low).zip(usable(self.ci_high)) {
                part += &format!(" ({} to {})", decimal(low, 2), decimal(high, 2));
            }
            parts.push(part);
        }
        match self.status.as_deref().and_then(ItemStatus::of_label) {
            Some(ItemStatus::Flawed) => {
                parts.push("flawed: the stronger do worse on it".to_owned())
            }
            Some(ItemStatus::Suspect) => {
                parts.push("suspect: the stronger do worse on it, perhaps by chance".to_owned());
            }
            Some(ItemStatus::Total) => parts.push("a total of other questions".to_owned()),
            Some(ItemStatus::Insufficient) => parts.push("too few answers to judge it".to_owned()),
            _ => parts.extend(self.label.as_ref().map(|label| label.replace('_', " "))),
        }
        let text = parts.join("; ");
        let mut letters = text.chars();
        match letters.next() {
            Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
            None => String::new(),
        }
    }
}
