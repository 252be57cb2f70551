//! Moments on the calendar. They are local times, in microseconds since 1970 began.

use time::{Date, Month};

pub const DAY: i64 = 86_400_000_000;
/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Days since 1970 began.
pub fn days(at: i64) -> f64 {
    at as f64 / 1e6 / 86_400.0
}

/// The date that many days after 1970 began. The calendar has a million years before and after,
/// and thus every moment there is.
fn date_of(day: i64) -> Date {
    let day = i32::try_from(day.saturating_add(EPOCH));
    day.ok()
        .and_then(|day| Date::from_julian_day(day).ok())
        .unwrap_or(Date::MAX)
}

/// A day as 2026-06-30.
pub fn date(at: i64) -> String {
    let date = date_of(at.div_euclid(DAY));
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// A moment as Vega-Lite reads it, whatever the time zone of the browser.
pub fn timestamp(at: i64) -> String {
    let second = at.rem_euclid(DAY) / 1_000_000;
    let (minute, second) = (second / 60, second % 60);
    let (hour, minute) = (minute / 60, minute % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}", date(at))
}

/// The first day of a month that is counted from January of the year 0, in days since 1970.
fn first_of_month(months: i64) -> Option<f64> {
    let month = Month::January.nth_next(months.rem_euclid(12) as u8);
    let year = i32::try_from(months.div_euclid(12)).ok()?;
    let date = Date::from_calendar_date(year, month, 1).ok()?;
    Some((i64::from(date.to_julian_day()) - EPOCH) as f64)
}

/// At most about ten days since 1970 to mark on an axis, with their words.
pub fn day_ticks(lo: f64, hi: f64) -> Vec<(f64, String)> {
    const MOST: f64 = 10.0;
    let month_of = |date: Date| MONTHS[usize::from(u8::from(date.month())) - 1];
    if hi - lo < 62.0 {
        let steps = [1.0, 2.0, 7.0, 14.0];
        let step = steps
            .into_iter()
            .find(|s| (hi - lo) / s <= MOST)
            .unwrap_or(14.0);
        let words = |day: f64| {
            let date = date_of(day as i64);
            format!("{} {}", date.day(), month_of(date))
        };
        let count = ((hi - lo) / step) as usize;
        return (0..=count)
            .map(|i| lo.ceil() + i as f64 * step)
            .filter(|&day| day <= hi)
            .map(|day| (day, words(day)))
            .collect();
    }
    let months = (hi - lo) / 30.44;
    let mut step = 1;
    for next in [2, 3, 6, 12] {
        if months / step as f64 > MOST {
            step = next;
        }
    }
    while months / step as f64 > MOST {
        step *= if step / 12 % 5 == 2 { 5 } else { 2 };
    }
    let from = date_of(lo.floor() as i64);
    let from = i64::from(from.year()) * 12 + i64::from(u8::from(from.month())) - 1;
    let first = from.div_euclid(step) * step;
    (0..)
        .map(|i| first + i * step)
        .map_while(|months| Some((first_of_month(months)?, months)))
        .take_while(|(day, _)| *day <= hi)
        .filter(|(day, _)| *day >= lo)
        .map(|(day, months)| {
            let year = months.div_euclid(12);
            let words = match step {
                1..12 => format!("{} {year}", MONTHS[months.rem_euclid(12) as usize]),
                _ => year.to_string(),
            };
            (day, words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (at, words) in [
            (0, "1970-01-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"),
            (20_633 * DAY + DAY / 10 * 9, "2026-06-29T21:36:00"),
            (11_016 * DAY + 1, "2000-02-29T00:00:00"),
        ] {
            assert_eq!(timestamp(at), words);
            assert!(words.starts_with(&date(at)));
        }
        for months in [-30_000, 0, 1, 2, 13, 23_640, 24_000, 24_306] {
            let day = first_of_month(months).expect("a month of the calendar") as i64;
            let (first, before) = (date_of(day), date_of(day - 1));
            assert_eq!(first.day(), 1);
            assert_eq!(i64::from(first.year()), months.div_euclid(12));
            assert_ne!(first.month(), before.month());
        }
        // The first and the last moment there is have a date.
        assert!(date(i64::MAX).starts_with("294247-01-10"));
        assert!(date(i64::MIN).starts_with("-290308-12-21"));
    }

    #[test]
    fn an_axis_of_time_has_a_few_marks() {
        for span in [
            1.0, 4.0, 20.0, 61.0, 63.0, 300.0, 400.0, 4000.0, 40_000.0, 1e8,
        ] {
            let ticks = day_ticks(20_000.3, 20_000.3 + span);
            assert!((1..=13).contains(&ticks.len()), "{span}: {ticks:?}");
        }
    }
}
