//! How the rows of a picture are read from the JSON value that SQL gathers.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::words::rounded;

/// Whose picture it is; its title begins with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    pub subject: Option<String>,
    #[serde(default)]
    pub student_group: Option<String>,
}

impl Of {
    /// The title of a picture; `words` begin with a small letter.
    pub fn title(&self, words: &str) -> String {
        let names: Vec<&str> = [&self.subject, &self.student_group]
            .into_iter()
            .filter_map(|name| name.as_deref())
            .collect();
        match (names.is_empty(), words.split_at_checked(1)) {
            (true, Some((first, rest))) => first.to_uppercase() + rest,
            _ => format!("{}: {words}", names.join(", ")),
        }
    }
}

/// Where rows are not those of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: usize,
    pub column: usize,
}

/// Reads a picture.
pub fn read<P: DeserializeOwned>(rows: &str) -> Result<P, Unreadable> {
    serde_json::from_str(rows).map_err(|error| Unreadable {
        line: error.line(),
        column: error.column(),
    })
}

/// A figure. Those that JSON has no number for are written as text and count as unknown.
pub fn figure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    let written = Option::<Written>::deserialize(from)?;
    Ok(match written {
        Some(Written::Number(number)) => Some(number),
        Some(Written::Text(text)) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        None => None,
    })
}

/// A figure with the decimals that a specification has, where all of a picture has no more.
pub fn rounded_figure<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(figure(from)?.map(|value| rounded(value, 6)))
}
