//! The curve of a question as a Vega-Lite specification.

use pg_assess_core::students::quadrant::Quadrant;
use serde_json::{Value, json};

use super::ItemCurve;
use crate::colour::{MIDDLE, corner, hex};
use crate::vega::{figure, quantity, specification};

impl ItemCurve {
    /// The specification of the curve.
    pub fn vega(&self) -> Value {
        let figures = self.groups.iter().map(|group| {
            json!({
                "level": figure(group.level),
                "lowest": figure(group.lowest),
                "highest": figure(group.highest),
                "students": group.students,
                "score": figure(group.score),
                "ci_low": figure(group.ci_low),
                "ci_high": figure(group.ci_high),
                "expected": figure(group.expected),
            })
        });
        let mut words = self.words();
        let has_expected = self.groups.iter().any(|group| group.expected.is_some());
        if has_expected {
            words += " Dashed: expected of a question as hard that separates as the average one \
                      does.";
        }
        let rest = json!({
            "width": 640,
            "height": 400,
            "encoding": {"x": {
                "field": "level", "type": "quantitative", "title": "Current level of the students",
                "axis": {"format": ".0%"}, "scale": {"zero": false, "padding": 20},
            }},
            "layer": self.layers(has_expected),
        });
        specification(&self.title(), &words, figures.collect(), rest)
    }

    fn layers(&self, has_expected: bool) -> Vec<Value> {
        let form = if self.is_bounded() { ".0%" } else { ".4~g" };
        let mean_score =
            |field: &str| json!({"field": field, "type": "quantitative", "title": "Mean score"});
        let mut score = mean_score("score");
        score["axis"] = json!({"format": form});
        let colours = [
            hex(corner(Quadrant::LowFalling)),
            hex(MIDDLE),
            hex(corner(Quadrant::HighRising)),
        ];
        let expected = json!({
            "mark": {"type": "line", "strokeDash": [7, 5], "color": "#666666"},
            "encoding": {"y": mean_score("expected")},
        });
        let curve = json!({
            "mark": {"type": "line", "color": "#555555"},
            "encoding": {"y": score},
        });
        let intervals = json!({
            "mark": {"type": "errorbar", "ticks": true, "color": "#333333"},
            "encoding": {"y": mean_score("ci_low"), "y2": {"field": "ci_high"}},
        });
        let groups = json!({
            "mark": {"type": "point", "filled": true, "size": 160, "opacity": 1,
                     "stroke": "#111111", "strokeWidth": 1},
            "encoding": {
                "y": {"field": "score", "type": "quantitative"},
                "color": {"field": "level", "type": "quantitative", "title": "Level",
                          "scale": {"range": colours, "interpolate": "lab"}, "legend": null},
                "tooltip": [
                    {"field": "students", "type": "quantitative", "title": "Students"},
                    quantity("lowest", "Level from", ".0%"),
                    quantity("highest", "Level to", ".0%"),
                    quantity("score", "Mean score", form),
                    quantity("expected", "Expected", form),
                ],
            },
        });
        let mut layers = Vec::new();
        if has_expected {
            layers.push(expected);
        }
        layers.extend([curve, intervals, groups]);
        layers
    }
}
