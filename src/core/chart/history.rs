//! The history of a student: scores over time, how much each still counts, and what came of it.

use super::curve::interval_bar;
use super::draw::{Axis, Rect, Svg, fit, percent, shorten, signed_percent};
use super::{
    CENTRED, DARK, Dot, GREY, KEY_X, TICK, WIDTH, heading, place_names, score_axis, text_width,
    unit_range, usable,
};

/// A student's answers in one assessment.
#[derive(Clone, Copy, Debug)]
pub struct Test<'a> {
    pub label: &'a str,
    /// When it was, in days since 1970.
    pub day: f64,
    /// The score, difficulty of the questions taken out.
    pub score: f64,
    /// The score as it was.
    pub raw: Option<f64>,
    /// What its age leaves of its weight, 0 to 1.
    pub fade: f64,
    /// Its share in the level, 0 to 1.
    pub share: f64,
}

/// What is known of a student as of a day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing<'a> {
    /// In days since 1970.
    pub as_of: f64,
    pub level: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// The level expected without evidence.
    pub prior: Option<f64>,
    /// Change in 30 days; it and the line are shown where `trend` says more than "unclear".
    pub slope: Option<f64>,
    pub trend: Option<&'a str>,
    /// Days after which evidence counts one half.
    pub half_life: Option<f64>,
    /// The ends of the line of the trend: day and score.
    pub line: Option<[(f64, f64); 2]>,
}

const HEIGHT: f64 = 640.0;
const PLOT: Rect = Rect {
    x: 92.0,
    y: 104.0,
    w: 836.0,
    h: 400.0,
};
/// The band that shows how evidence fades.
const FADING: Rect = Rect {
    x: PLOT.x,
    y: 530.0,
    w: PLOT.w,
    h: 60.0,
};
/// So many assessments that count most are called by name.
const NAMED: usize = 6;
const NAME_SIZE: f64 = 12.0;
/// Days beyond this are outside what a database calls a time.
const FAR: f64 = 2e8;

const BLUE: &str = "#2f5fb3";
const LEVEL: &str = "fill=\"#111\" stroke=\"#fff\" stroke-width=\"1.2\"";
const PRIOR: &str = "stroke=\"#888\" stroke-width=\"1.5\" stroke-dasharray=\"2 4\"";

/// Draws the history.
pub fn student_history(tests: &[Test], standing: &Standing, title: &str) -> String {
    let is_usable = |t: &&Test| {
        usable(Some(t.score)).is_some()
            && is_day(t.day)
            && t.day <= standing.as_of
            && (0.0..=1.0).contains(&t.fade)
            && (0.0..=1.0).contains(&t.share)
    };
    let mut tests: Vec<&Test> = tests.iter().filter(is_usable).collect();
    tests.sort_by(|a, b| {
        let by = a.day.total_cmp(&b.day);
        by.then_with(|| a.label.cmp(b.label))
            .then_with(|| a.score.total_cmp(&b.score))
    });
    let words = summary(&tests, standing);
    let description = format!("Scores of one student over time. {words}");
    let mut svg = heading(WIDTH, HEIGHT, title, &words, &description);
    let level = usable(standing.level);
    if !is_day(standing.as_of) || (tests.is_empty() && level.is_none()) {
        let words = "There is no score to show.";
        svg.text(WIDTH / 2.0, HEIGHT / 2.0, 20.0, CENTRED, words);
        return svg.finish();
    }
    let first = tests.first().map_or(standing.as_of - 30.0, |t| t.day);
    let pad = ((standing.as_of - first) * 0.03).max(2.0);
    let days = Axis {
        lo: first - pad,
        hi: standing.as_of + pad,
        from: PLOT.x,
        to: PLOT.right(),
    };
    let told = [level, standing.ci_low, standing.ci_high, standing.prior];
    let figures = told.into_iter().filter_map(usable);
    let (lo, hi) = unit_range(tests.iter().map(|t| t.score).chain(figures));
    let scores = Axis {
        lo,
        hi,
        from: PLOT.bottom(),
        to: PLOT.y,
    };
    frame(&mut svg, &days, &scores, standing);
    if let Some(prior) = usable(standing.prior) {
        let y = scores.at(prior);
        svg.line([(PLOT.x, y), (PLOT.right(), y)], PRIOR);
    }
    let most = tests.iter().map(|t| t.share).fold(0.0, f64::max);
    let dots: Vec<Dot> = tests
        .iter()
        .map(|t| Dot {
            x: days.at(t.day),
            y: scores.at(t.score),
            // The area goes with the share in the level.
            r: 3.0
                + 9.0
                    * if most > 0.0 {
                        (t.share / most).sqrt()
                    } else {
                        0.0
                    },
        })
        .collect();
    for (test, dot) in tests.iter().zip(&dots) {
        // The oldest stay visible.
        let opacity = 0.15 + 0.75 * test.fade;
        let extra = format!("fill=\"{BLUE}\" fill-opacity=\"{opacity:.2}\" stroke=\"{BLUE}\"");
        svg.group(&tooltip(test), |svg| {
            svg.circle(dot.x, dot.y, dot.r, &extra)
        });
    }
    let mut taken = Vec::new();
    let line = trend_line(standing);
    if let Some([from, to]) = line {
        let at = |(day, score)| (days.at(day), scores.at(score));
        let ends = [at(from), at(to)];
        svg.line(ends, &trend_style(standing));
        taken.extend(along(ends));
    }
    if let Some(level) = level {
        let (x, y) = (days.at(standing.as_of), scores.at(level));
        svg.group(&words, |svg| {
            if let Some((low, high)) = usable(standing.ci_low).zip(usable(standing.ci_high)) {
                interval_bar(svg, x, scores.at(low), scores.at(high));
            }
            svg.diamond(x, y, 9.0, LEVEL);
        });
        taken.push(Rect {
            x: x - 10.0,
            y: PLOT.y,
            w: 20.0,
            h: PLOT.h,
        });
    }
    name_tests(&mut svg, &tests, &dots, &taken);
    key(&mut svg, standing, line.is_some(), tests.len(), most > 0.0);
    let beyond = tests
        .iter()
        .filter(|t| !(lo..=hi).contains(&t.score))
        .count();
    if beyond > 0 {
        let words = format!("Drawn at the edge, as they lie beyond the frame: {beyond}.");
        svg.text(40.0, HEIGHT - 10.0, 12.0, GREY, &words);
    }
    svg.finish()
}

fn is_day(day: f64) -> bool {
    day.is_finite() && day.abs() <= FAR
}

fn is_told(standing: &Standing) -> bool {
    standing.trend.is_some_and(|trend| trend != "unclear")
}

/// The picture in words.
fn summary(tests: &[&Test], standing: &Standing) -> String {
    let mut text = match usable(standing.level) {
        Some(level) => format!("Level {} %", percent(level, 0)),
        None => "No level yet".to_string(),
    };
    if let Some((low, high)) = usable(standing.ci_low).zip(usable(standing.ci_high)) {
        text += &format!(" (likely {} to {} %)", percent(low, 0), percent(high, 0));
    }
    if is_day(standing.as_of) {
        text += &format!(" on {}", date(standing.as_of));
    }
    match (usable(standing.slope), standing.trend) {
        (Some(slope), Some(trend)) if is_told(standing) => {
            text += &format!(
                ", {}: {} points in 30 days",
                shorten(trend, 20),
                signed_percent(slope, 1)
            );
        }
        _ => text += ", no clear trend",
    }
    let n = tests.len();
    let noun = if n == 1 { "assessment" } else { "assessments" };
    text += &format!("; {n} {noun}");
    if let Some(last) = tests.last() {
        text += &format!(", the last on {}", date(last.day));
    }
    text + "."
}

fn tooltip(test: &Test) -> String {
    let mut text = format!(
        "{}, {}: {} %",
        shorten(test.label, 80),
        date(test.day),
        percent(test.score, 0)
    );
    if let Some(raw) = usable(test.raw) {
        text += &format!(
            " with difficulty taken out, {} % as scored",
            percent(raw, 0)
        );
    }
    text + &format!(
        "; counts {} % of what it did when new, {} % of the level",
        percent(test.fade, 0),
        percent(test.share, 1)
    )
}

/// The ends of the line of a trend that is shown.
fn trend_line(standing: &Standing) -> Option<[(f64, f64); 2]> {
    let [from, to] = standing.line.filter(|_| is_told(standing))?;
    let is_usable = |(day, score)| is_day(day) && usable(Some(score)).is_some();
    (is_usable(from) && is_usable(to)).then_some([from, to])
}

/// Small places along a line, which no name may cover.
fn along([(x1, y1), (x2, y2)]: [(f64, f64); 2]) -> impl Iterator<Item = Rect> {
    let steps = ((x2 - x1).hypot(y2 - y1) / 6.0).ceil().max(1.0);
    (0..=steps as u32).map(move |i| {
        let share = f64::from(i) / steps;
        Rect {
            x: x1 + (x2 - x1) * share - 3.0,
            y: y1 + (y2 - y1) * share - 3.0,
            w: 6.0,
            h: 6.0,
        }
    })
}

/// Dark where falling and orange where rising, as on the school map; the dashes tell them apart
/// where colours do not.
fn trend_style(standing: &Standing) -> String {
    let (colour, dashes) = match standing.trend {
        Some("falling") => ("#240b52", ""),
        Some("rising") => ("#b84300", " stroke-dasharray=\"14 5\""),
        _ => ("#555", " stroke-dasharray=\"3 4\""),
    };
    format!("stroke=\"{colour}\" stroke-width=\"3\" stroke-linecap=\"round\"{dashes}")
}

fn frame(svg: &mut Svg, days: &Axis, scores: &Axis, standing: &Standing) {
    svg.rect(PLOT, "fill=\"#fafafa\" stroke=\"#ccc\"");
    svg.rect(FADING, "fill=\"#fafafa\" stroke=\"#ccc\"");
    let words = "Score, difficulty taken out, in per cent";
    score_axis(svg, PLOT, scores, true, words);
    for (day, words) in day_ticks(days.lo, days.hi) {
        let x = days.at(day);
        svg.line([(x, PLOT.y), (x, PLOT.bottom())], TICK);
        svg.line([(x, FADING.y), (x, FADING.bottom())], TICK);
        let half = text_width(&words, 13.0) / 2.0;
        if x - half < PLOT.x - 30.0 || x + half > PLOT.right() + 30.0 {
            continue;
        }
        let extra = "text-anchor=\"middle\" fill=\"#555\"";
        svg.text(x, FADING.bottom() + 20.0, 13.0, extra, &words);
    }
    let words = "How much a score of that day still counts";
    svg.text(FADING.x, FADING.y - 8.0, 13.0, "fill=\"#555\"", words);
    if let Some(half_life) = standing.half_life.filter(|h| h.is_finite() && *h > 0.0) {
        let fade = Axis {
            lo: 0.0,
            hi: 1.0,
            from: FADING.bottom(),
            to: FADING.y,
        };
        let end = days.at(standing.as_of);
        let mut area = vec![(end, FADING.bottom()), (PLOT.x, FADING.bottom())];
        area.extend((0..=60).map(|i| {
            let day = days.lo + (standing.as_of - days.lo) * f64::from(i) / 60.0;
            let left = (-(standing.as_of - day) / half_life).exp2();
            (days.at(day), fade.at(left))
        }));
        let extra = format!("fill=\"{BLUE}\" fill-opacity=\"0.35\"");
        svg.polyline(&area, &extra);
    }
    for (words, y) in [("100 %", FADING.y + 11.0), ("0 %", FADING.bottom())] {
        let extra = "text-anchor=\"end\" fill=\"#555\"";
        svg.text(FADING.x - 8.0, y, 12.0, extra, words);
    }
}

fn name_tests(svg: &mut Svg, tests: &[&Test], dots: &[Dot], taken: &[Rect]) {
    let mut order: Vec<usize> = (0..tests.len()).filter(|&i| tests[i].share > 0.0).collect();
    order.sort_by(|&a, &b| tests[b].share.total_cmp(&tests[a].share).then(b.cmp(&a)));
    let (names, wanted): (Vec<String>, Vec<(usize, f64)>) = order
        .into_iter()
        .take(NAMED)
        .map(|i| {
            let name = fit(tests[i].label, NAME_SIZE, 150.0);
            let width = text_width(&name, NAME_SIZE);
            (name, (i, width))
        })
        .unzip();
    for (name, place) in names.iter().zip(place_names(dots, &wanted, PLOT, taken)) {
        let Some((rect, leader)) = place else {
            continue;
        };
        if let Some(leader) = leader {
            svg.line(leader, "stroke=\"#555\" stroke-width=\"0.8\"");
        }
        let extra = "text-anchor=\"middle\" class=\"halo name\" fill=\"#111\"";
        svg.text(rect.x + rect.w / 2.0, rect.y + 12.0, NAME_SIZE, extra, name);
    }
}

fn key(svg: &mut Svg, standing: &Standing, has_line: bool, tests: usize, has_names: bool) {
    let bold = "font-weight=\"600\" fill=\"#333\"";
    svg.text(KEY_X, 120.0, 15.0, bold, "How to read it");
    let (x, words_x) = (KEY_X + 14.0, KEY_X + 38.0);
    let mut y = 152.0;
    let mut entry = |svg: &mut Svg, shape: &dyn Fn(&mut Svg, f64), words: &[&str]| {
        shape(svg, y);
        for words in words {
            svg.text(words_x, y + 4.5, 13.0, DARK, words);
            y += 17.0;
        }
        y += 15.0;
    };
    let dot = |r: f64, opacity: f64| {
        move |svg: &mut Svg, y: f64| {
            let extra = format!("fill=\"{BLUE}\" fill-opacity=\"{opacity}\" stroke=\"{BLUE}\"");
            svg.circle(x, y, r, &extra);
        }
    };
    if tests > 0 {
        let words = ["an assessment; larger:", "more of the level"];
        entry(svg, &dot(11.0, 0.9), &words);
        entry(svg, &dot(6.0, 0.25), &["paler: older, counts less"]);
    }
    if has_names {
        entry(svg, &|_, _| (), &["by name: those that", "count most"]);
    }
    if usable(standing.level).is_some() {
        let level = |svg: &mut Svg, y: f64| {
            interval_bar(svg, x, y - 16.0, y + 16.0);
            svg.diamond(x, y, 9.0, LEVEL);
        };
        entry(svg, &|_, _| (), &[]);
        entry(svg, &level, &["level now, with interval"]);
    }
    if usable(standing.prior).is_some() {
        let line = |svg: &mut Svg, y: f64| svg.line([(KEY_X, y), (KEY_X + 28.0, y)], PRIOR);
        entry(svg, &line, &["level expected without", "any score"]);
    }
    if has_line {
        let style = trend_style(standing);
        let line = |svg: &mut Svg, y: f64| svg.line([(KEY_X, y), (KEY_X + 28.0, y)], &style);
        let words = format!("trend: {}", standing.trend.unwrap_or_default());
        entry(svg, &line, &[&fit(&words, 13.0, 180.0)]);
    }
    if let Some(half_life) = standing.half_life.filter(|h| h.is_finite() && *h > 0.0) {
        let area = |svg: &mut Svg, y: f64| {
            let points = [
                (KEY_X, y + 7.0),
                (KEY_X + 28.0, y - 9.0),
                (KEY_X + 28.0, y + 7.0),
            ];
            svg.polyline(&points, &format!("fill=\"{BLUE}\" fill-opacity=\"0.35\""));
        };
        let days = format!("one half after {:.0} days", half_life.min(1e9));
        entry(svg, &area, &["what time leaves of a score:", &days]);
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day as year, month (from 0) and day: the civil calendar by counts of days (Hinnant 2013).
fn civil(day: f64) -> (i64, i64, i64) {
    let z = day.floor() as i64 + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = (shifted + 2) % 12;
    let carry = i64::from(month < 2);
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    (year + era * 400 + carry, month, date)
}

/// The first day of a month that is counted from January of the year 0.
fn first_of_month(months: i64) -> f64 {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let shifted_year = year - i64::from(month < 2);
    let era = shifted_year.div_euclid(400);
    let of_era = shifted_year.rem_euclid(400);
    let of_year = (153 * ((month + 10) % 12) + 2) / 5;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era - 719_468) as f64
}

fn date(day: f64) -> String {
    let (year, month, date) = civil(day);
    format!("{year}-{:02}-{date:02}", month + 1)
}

/// At most about ten days to mark on an axis, with their words.
fn day_ticks(lo: f64, hi: f64) -> Vec<(f64, String)> {
    const MOST: f64 = 10.0;
    if hi - lo < 62.0 {
        let steps = [1.0, 2.0, 7.0, 14.0];
        let step = steps
            .into_iter()
            .find(|s| (hi - lo) / s <= MOST)
            .unwrap_or(14.0);
        let words = |day: f64| {
            let (_, month, date) = civil(day);
            format!("{date} {}", MONTHS[month as usize])
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
    let (year, month, _) = civil(lo);
    let first = (year * 12 + month).div_euclid(step) * step;
    (0..)
        .map(|i| first + i * step)
        .map(|months| (first_of_month(months), months))
        .take_while(|(day, _)| *day <= hi)
        .filter(|(day, _)| *day >= lo)
        .map(|(day, months)| {
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
            let words = match step {
                1..12 => format!("{} {year}", MONTHS[month as usize]),
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
        assert_eq!(date(0.0), "1970-01-01");
        assert_eq!(date(-1.0), "1969-12-31");
        assert_eq!(date(20_633.9), "2026-06-29");
        assert_eq!(date(11_016.0), "2000-02-29");
        for months in [-30_000, 0, 1, 2, 13, 23_640, 24_000, 24_306] {
            let day = first_of_month(months);
            assert_eq!(
                civil(day),
                (months.div_euclid(12), months.rem_euclid(12), 1)
            );
            assert_ne!(civil(day - 1.0).1, civil(day).1);
        }
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
