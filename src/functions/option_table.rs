//! The table of options, declared in `sql/functions/options.sql`.

use pg_assess_core::domain::Domain;
use pg_assess_core::forecasts::backtest;
use pg_assess_core::forecasts::resampling::Resampling;
use pg_assess_core::options::{Choices, Options, Value};
use pg_assess_core::questions::calibrate;
use pgrx::prelude::*;

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn option_table() -> TableIterator<
    'static,
    (
        name!(option, &'static str),
        name!(default_value, Option<String>),
        name!(range, Option<&'static str>),
        name!(about, &'static str),
    ),
> {
    let tables = [
        Options::default().values(),
        calibrate::Settings::default().values(),
        backtest::Settings::default().values(),
        Resampling::default().values(),
    ];
    TableIterator::new(tables.into_iter().flatten().map(|(row, value)| {
        let default = match value {
            Value::Boolean(value) => Some(value.to_string()),
            Value::Integer(value) => Some(value.to_string()),
            Value::Number(days) if row.domain.is_span() => days.map(|days| format!("{days} days")),
            Value::Number(value) => value.map(|value| value.to_string()),
            Value::Label(label) => Some(label.to_owned()),
        };
        let range = (row.domain != Domain::Boolean).then(|| row.domain.expected());
        (row.name, default, range, row.about)
    }))
}
