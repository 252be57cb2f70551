//! The history of a student as a Vega-Lite specification.

use serde_json::{Value, json};

use super::{Moment, Standing, StudentHistory, Test, blue};
use crate::dates::{date, days, timestamp};
use crate::layout::usable;
use crate::vega::{figure, quantity, specification};
use crate::words::percent;

impl StudentHistory {
    /// The specification of the history.
    pub fn vega(&self) -> Value {
        let standing = &self.standing;
        let mut layers = vec![tests_layer()];
        if standing.level.is_some() {
            layers.extend(level_layers(standing));
        }
        layers.extend(standing.line.map(|line| trend_layer(standing, line)));
        let figures = self.tests.iter().map(test);
        let rest = json!({"width": 640, "height": 360, "layer": layers});
        specification(&self.title(), &standing.words(), figures.collect(), rest)
    }
}

impl Standing {
    fn words(&self) -> String {
        let mut text = match usable(self.level) {
            Some(level) => format!("Level {} %", percent(level, 0)),
            None => "No level yet".to_owned(),
        };
        if let Some((low, high)) = self.interval() {
            let (low, high) = (percent(low, 0), percent(high, 0));
            text += &format!(" (likely {low} % to {high} %)");
        }
        if let Some(as_of) = self.as_of {
            text += &format!(" on {}", date(as_of));
        }
        let trend = match self.trend.as_deref() {
            Some(trend) if self.has_trend() => trend,
            _ => "no clear trend",
        };
        text + &format!(
            "; {trend}. The larger, the more an assessment counts; the paler, the older."
        )
    }

    /// What the level's layers show.
    fn figures(&self) -> Value {
        let [first, last] = self.line.map_or([None; 2], |ends| ends.map(Some));
        let at = |moment: Option<Moment>| moment.map(|moment| timestamp(moment.at));
        let day = |moment: Option<Moment>| moment.map(|moment| days(moment.at));
        let score = |moment: Option<Moment>| figure(moment.and_then(|moment| moment.score));
        json!({
            "as_of": self.as_of.map(timestamp),
            "day": self.as_of.map(days),
            "level": figure(self.level),
            "ci_low": figure(self.ci_low),
            "ci_high": figure(self.ci_high),
            "prior": figure(self.prior),
            "slope": figure(self.slope),
            "trend": self.trend,
            "half_life": figure(self.half_life),
            "first_at": at(first),
            "last_at": at(last),
            "first_day": day(first),
            "last_day": day(last),
            "first_score": score(first),
            "last_score": score(last),
        })
    }
}

fn test(test: &Test) -> Value {
    json!({
        "assessment": test.assessment,
        "taken_at": timestamp(test.taken_at),
        "day": days(test.taken_at),
        "answers": test.answers,
        "score": figure(test.score),
        "raw_score": figure(test.raw_score),
        "fade": figure(test.fade),
        "share": figure(test.share),
    })
}

fn tests_layer() -> Value {
    json!({
        "mark": {"type": "point", "filled": true, "color": blue(), "stroke": blue(), "opacity": 1},
        "encoding": {
            "x": {"field": "taken_at", "type": "temporal", "title": "Time",
                  "scale": {"padding": 14}},
            "y": {"field": "score", "type": "quantitative",
                  "title": "Score, difficulty taken out", "axis": {"format": ".0%"}},
            "size": {"field": "share", "type": "quantitative", "title": "Share of the level",
                     "scale": {"domainMin": 0, "range": [20, 400]}, "legend": {"format": ".0%"}},
            "fillOpacity": {"field": "fade", "type": "quantitative",
                            "title": "What its age leaves of its weight",
                            "scale": {"domain": [0, 1], "range": [0.15, 0.9]},
                            "legend": {"format": ".0%"}},
            "tooltip": [
                {"field": "assessment", "type": "nominal", "title": "Assessment"},
                {"field": "taken_at", "type": "temporal", "title": "Taken"},
                {"field": "answers", "type": "quantitative", "title": "Answers"},
                quantity("score", "Score, difficulty taken out", ".0%"),
                quantity("raw_score", "Score", ".0%"),
                quantity("fade", "Left of its weight", ".0%"),
                quantity("share", "Share of the level", ".1%"),
            ],
        },
    })
}

/// The level with its interval.
fn level_layers(standing: &Standing) -> [Value; 2] {
    let data = json!({"values": [standing.figures()]});
    let x = json!({"field": "as_of", "type": "temporal"});
    [
        json!({
            "data": data,
            "mark": {"type": "errorbar", "ticks": true, "color": "#333333"},
            "encoding": {"x": x,
                         "y": {"field": "ci_low", "type": "quantitative",
                               "title": "Score, difficulty taken out"},
                         "y2": {"field": "ci_high"}},
        }),
        json!({
            "data": data,
            "mark": {"type": "point", "shape": "diamond", "filled": true, "size": 180,
                     "opacity": 1, "color": "#111111"},
            "encoding": {"x": x,
                         "y": {"field": "level", "type": "quantitative"},
                         "tooltip": [quantity("level", "Level", ".0%")]},
        }),
    ]
}

fn trend_layer(standing: &Standing, line: [Moment; 2]) -> Value {
    let (colour, dashes) = standing.trend_look();
    let colour = colour.unwrap_or("#555555");
    let ends = line.map(|end| json!({"taken_at": timestamp(end.at), "score": figure(end.score)}));
    json!({
        "data": {"values": ends},
        "mark": {"type": "line", "strokeWidth": 3, "strokeDash": dashes, "color": colour},
        "encoding": {"x": {"field": "taken_at", "type": "temporal"},
                     "y": {"field": "score", "type": "quantitative"}},
    })
}
