//! The school map as a Vega-Lite specification.

use pg_assess_core::students::quadrant::{Quadrant, middle};
use serde_json::{Value, json};

use super::SchoolMap;
use super::frame::steepest;
use crate::colour::{UNKNOWN, corner, hex};
use crate::layout::core_range;
use crate::vega::{figure, quantity, specification};

const NO_TREND: &str = "no trend yet";

/// What of the map lies within the frame, and whether something lies beyond it.
struct Scales {
    levels: (f64, f64),
    steepest: f64,
    is_wide: bool,
    is_steep: bool,
    beyond: usize,
}

impl Scales {
    fn around(rows: &[(f64, Option<f64>)]) -> Self {
        let levels = core_range(rows.iter().map(|row| row.0).collect());
        let steepest = steepest(rows.iter().filter_map(|row| row.1).collect());
        let is_wide = |level: f64| !(levels.0..=levels.1).contains(&level);
        let is_steep = |change: Option<f64>| change.is_some_and(|c| c.abs() > steepest);
        Self {
            levels,
            steepest,
            is_wide: rows.iter().any(|row| is_wide(row.0)),
            is_steep: rows.iter().any(|row| is_steep(row.1)),
            beyond: rows
                .iter()
                .filter(|row| is_wide(row.0) || is_steep(row.1))
                .count(),
        }
    }

    /// The few far outside would press all others into one spot, and are drawn at the edge.
    fn level_axis(&self) -> Value {
        let (lowest, highest) = self.levels;
        let domain = [figure(Some(lowest)), figure(Some(highest))];
        let scale = match self.is_wide {
            true => json!({"zero": false, "nice": false, "clamp": true, "domain": domain}),
            false => json!({"zero": false, "nice": true}),
        };
        json!({"field": "level", "type": "quantitative", "title": "Current level",
               "axis": {"format": ".0%"}, "scale": scale})
    }

    fn change_axis(&self) -> Value {
        let mut axis = json!({"field": "change", "type": "quantitative",
                              "title": "Change in 30 days", "axis": {"format": "+.1%"}});
        if self.is_steep {
            let domain = [figure(Some(-self.steepest)), figure(Some(self.steepest))];
            axis["scale"] = json!({"nice": false, "clamp": true, "domain": domain});
        }
        axis
    }
}

/// Colours and shapes by quadrant, size by need.
fn look(x: &Value, y: &Value) -> Value {
    let mut names = Quadrant::ALL.map(Quadrant::label).to_vec();
    names.push(NO_TREND);
    let mut colours = Quadrant::ALL.map(|quadrant| hex(corner(quadrant))).to_vec();
    colours.push(UNKNOWN.to_owned());
    let shapes = [
        "triangle-down",
        "triangle-up",
        "diamond",
        "circle",
        "square",
    ];
    json!({
        "x": x,
        "y": y,
        "color": {"field": "quadrant", "type": "nominal", "title": "Quadrant",
                  "scale": {"domain": names, "range": colours}},
        "shape": {"field": "quadrant", "type": "nominal", "title": "Quadrant",
                  "scale": {"domain": names, "range": shapes}},
        "size": {"field": "need", "type": "quantitative", "title": "Need",
                 "scale": {"domain": [0, 1], "range": [40, 180]},
                 "legend": {"format": ".0%", "values": [0, 0.5, 1]}},
        "tooltip": [{"field": "student", "type": "nominal", "title": "Student"},
                    quantity("level", "Level", ".0%"),
                    quantity("change", "Change in 30 days", "+.1%"),
                    quantity("need", "Need", ".0%"),
                    {"field": "quadrant", "type": "nominal", "title": "Quadrant"}],
    })
}

/// Those with a trend, over the lines of the mean level and of no change.
fn field(scales: &Scales, mean: Option<f64>) -> Value {
    let levels = scales.level_axis();
    json!({"width": 640, "height": 420, "layer": [
        {"mark": {"type": "rule", "strokeDash": [6, 4], "color": "#888888"},
         "data": {"values": [{"level": figure(mean)}]},
         "encoding": {"x": levels}},
        {"mark": {"type": "rule", "color": "#888888"}, "encoding": {"y": {"datum": 0}}},
        {"transform": [{"filter": "datum.change != null"}],
         "mark": {"type": "point", "filled": true, "opacity": 0.88, "stroke": "#ffffff",
                  "strokeWidth": 0.8},
         "encoding": look(&levels, &scales.change_axis())},
    ]})
}

/// Those without one, in a strip.
fn strip(scales: &Scales, height: u32) -> Value {
    let y = json!({"field": "student", "type": "nominal", "axis": null});
    json!({
        "width": 640,
        "height": height,
        "title": {"text": "No trend yet: too few dates", "fontSize": 11, "anchor": "start"},
        "transform": [{"filter": "datum.change == null"}],
        "mark": {"type": "point", "filled": false, "strokeWidth": 2},
        "encoding": look(&scales.level_axis(), &y),
    })
}

impl SchoolMap {
    /// The specification of the map, of students with a level.
    pub fn vega(&self) -> Value {
        let known = |value: Option<f64>| value.filter(|value| value.is_finite());
        let points = self.points.iter();
        let shown: Vec<_> = points
            .filter_map(|p| Some((p, known(p.level)?, known(p.change))))
            .collect();
        let rows: Vec<(f64, Option<f64>)> = shown.iter().map(|(_, l, c)| (*l, *c)).collect();
        let levels: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let mean = known(self.mean).or_else(|| middle(&levels));
        let scales = Scales::around(&rows);
        let figures = shown.iter().map(|&(point, level, change)| {
            let quadrant = change
                .zip(mean)
                .map(|(change, mean)| Quadrant::of(level, mean, change));
            json!({
                "student": point.student,
                "level": figure(Some(level)),
                "change": figure(change),
                "need": figure(point.need),
                "quadrant": quadrant.map_or(NO_TREND, Quadrant::label),
            })
        });
        let has_trend = rows.iter().any(|row| row.1.is_some());
        let mut views = Vec::new();
        if has_trend || rows.is_empty() {
            views.push(field(&scales, mean));
        }
        if rows.iter().any(|row| row.1.is_none()) {
            views.push(strip(&scales, if has_trend { 60 } else { 420 }));
        }
        let mut words = "Each mark is one student: the further left, the lower now; the further \
                         down, the faster falling. The dashed line is the mean level."
            .to_owned();
        if scales.beyond > 0 {
            words += &format!(" At the edge, beyond the frame: {}.", scales.beyond);
        }
        let rest = json!({"vconcat": views, "resolve": {"scale": {"x": "shared"}}});
        specification(&self.title(), &words, figures.collect(), rest)
    }
}
