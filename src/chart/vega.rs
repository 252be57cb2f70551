//! What all Vega-Lite specifications have.

use serde_json::{Map, Value, json};

use crate::words::rounded;

/// A figure of a specification, with six decimals; JSON has no others than finite ones.
pub fn figure(value: Option<f64>) -> Value {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return Value::Null;
    };
    let value = rounded(value, 6);
    // Whole numbers are written without a decimal point.
    match value.fract() == 0.0 && value.abs() < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

/// A quantity of an encoding or tooltip.
pub fn quantity(field: &str, title: &str, format: &str) -> Value {
    json!({"field": field, "type": "quantitative", "title": title, "format": format})
}

/// A specification over its figures: title and subtitle, and the parts that `rest` adds.
pub fn specification(title: &str, words: &str, figures: Vec<Value>, rest: Value) -> Value {
    let mut all = Map::new();
    let own = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "subtitle": words, "anchor": "start"},
        "description": format!("{title}. {words}"),
        "data": {"values": figures},
        "config": {"view": {"stroke": "#cccccc"}},
    });
    for part in [own, rest] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Value::Object(all)
}
