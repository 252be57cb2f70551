//! The history of a student, drawn.

use super::key::{self, LEVEL, PRIOR, scored, trend_style};
use super::{Standing, StudentHistory, Test, blue};
use crate::dates::{date, day_ticks, days};
use crate::draw::{Rect, Svg};
use crate::layout::{
    Axis, BELOW, BESIDE, CENTRED, GREY, PLOT_FRAME, PLOT_WIDTH, PLOT_X, PLOT_Y, TICK, WIDTH,
    heading, interval_bar, score_axis, unit_range, usable,
};
use crate::names::{Dot, write_names};
use crate::words::{count, fit, percent, shorten, signed_percent, text_width};

const HEIGHT: f64 = 640.0;
const PLOT: Rect = Rect {
    x: PLOT_X,
    y: PLOT_Y,
    w: PLOT_WIDTH,
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

/// An assessment that can be drawn.
pub struct Mark<'a> {
    test: &'a Test,
    day: f64,
    score: f64,
    fade: f64,
    share: f64,
}

impl<'a> Mark<'a> {
    fn of(test: &'a Test, as_of: i64) -> Option<Self> {
        let unit = |value: Option<f64>| value.filter(|v| (0.0..=1.0).contains(v));
        (test.taken_at <= as_of).then_some(Self {
            test,
            day: days(test.taken_at),
            score: usable(test.score)?,
            fade: unit(test.fade)?,
            share: unit(test.share)?,
        })
    }

    fn tooltip(&self) -> String {
        let mut text = format!(
            "{}, {}: {} %",
            shorten(&self.test.assessment, 80),
            date(self.test.taken_at),
            percent(self.score, 0)
        );
        if let Some(raw) = usable(self.test.raw_score) {
            text += &format!(
                " with difficulty taken out, {} % as scored",
                percent(raw, 0)
            );
        }
        text + &format!(
            "; counts {} % of what it did when new, {} % of the level",
            percent(self.fade, 0),
            percent(self.share, 1)
        )
    }
}

/// Where days and scores lie.
struct Plot {
    days: Axis,
    scores: Axis,
    today: f64,
}

impl StudentHistory {
    /// Draws the history.
    pub fn svg(&self) -> String {
        let standing = &self.standing;
        let marks = self.marks();
        let words = self.words(&marks);
        let description = format!("Scores of one student over time. {words}");
        let mut svg = heading(WIDTH, HEIGHT, &self.title(), &words, &description);
        let level = usable(standing.level);
        let Some(as_of) = standing
            .as_of
            .filter(|_| !marks.is_empty() || level.is_some())
        else {
            let words = "There is no score to show.";
            svg.text(WIDTH / 2.0, HEIGHT / 2.0, 20.0, CENTRED, words);
            return svg.finish();
        };
        let plot = Plot::around(&marks, standing, days(as_of));
        plot.draw_frame(&mut svg, standing);
        if let Some(prior) = usable(standing.prior) {
            let y = plot.scores.at(prior);
            svg.line([(PLOT.x, y), (PLOT.right(), y)], PRIOR);
        }
        let most = marks.iter().map(|mark| mark.share).fold(0.0, f64::max);
        let dots = plot.draw_marks(&mut svg, &marks, most);
        let mut taken = Vec::new();
        let line = plot.draw_trend(&mut svg, standing);
        taken.extend(line.into_iter().flat_map(along));
        if let Some(level) = level {
            taken.push(plot.draw_level(&mut svg, standing, level, &words));
        }
        name_marks(&mut svg, &marks, &dots, &taken);
        let shown = key::Shown {
            tests: !marks.is_empty(),
            names: most > 0.0,
            line: line.is_some(),
        };
        key::draw(&mut svg, standing, &shown);
        let (lo, hi) = (plot.scores.lo, plot.scores.hi);
        let beyond = |mark: &&Mark| !(lo..=hi).contains(&mark.score);
        let beyond = marks.iter().filter(beyond).count();
        if beyond > 0 {
            let words = format!("Drawn at the edge, as they lie beyond the frame: {beyond}.");
            svg.text(40.0, HEIGHT - 10.0, 12.0, GREY, &words);
        }
        svg.finish()
    }

    /// In order of time; equal times by name, so that the same data always give the same picture.
    fn marks(&self) -> Vec<Mark<'_>> {
        let Some(as_of) = self.standing.as_of else {
            return Vec::new();
        };
        let tests = self.tests.iter();
        let mut marks: Vec<Mark> = tests.filter_map(|test| Mark::of(test, as_of)).collect();
        marks.sort_by(|a, b| {
            let key = |mark: &Mark<'_>| mark.test.taken_at;
            let by_name = || a.test.assessment.cmp(&b.test.assessment);
            let by = key(a).cmp(&key(b)).then_with(by_name);
            by.then_with(|| a.score.total_cmp(&b.score))
        });
        marks
    }

    /// The picture in words.
    fn words(&self, marks: &[Mark]) -> String {
        let standing = &self.standing;
        let mut text = match usable(standing.level) {
            Some(level) => format!("Level {} %", percent(level, 0)),
            None => "No level yet".to_string(),
        };
        if let Some((low, high)) = standing.interval() {
            text += &format!(" (likely {} to {} %)", percent(low, 0), percent(high, 0));
        }
        if let Some(as_of) = standing.as_of {
            text += &format!(" on {}", date(as_of));
        }
        match (usable(standing.slope), &standing.trend) {
            (Some(slope), Some(trend)) if standing.has_trend() => {
                text += &format!(
                    ", {}: {} points in 30 days",
                    shorten(trend, 20),
                    signed_percent(slope, 1)
                );
            }
            _ => text += ", no clear trend",
        }
        text += &format!("; {}", count(marks.len(), "assessment"));
        if let Some(last) = marks.last() {
            text += &format!(", the last on {}", date(last.test.taken_at));
        }
        text + "."
    }
}

impl Plot {
    fn around(marks: &[Mark], standing: &Standing, today: f64) -> Self {
        let first = marks.first().map_or(today - 30.0, |mark| mark.day);
        let pad = ((today - first) * 0.03).max(2.0);
        let known = [
            standing.level,
            standing.ci_low,
            standing.ci_high,
            standing.prior,
        ];
        let figures = known.into_iter().filter_map(usable);
        let (lo, hi) = unit_range(marks.iter().map(|mark| mark.score).chain(figures));
        Self {
            days: Axis {
                lo: first - pad,
                hi: today + pad,
                from: PLOT.x,
                to: PLOT.right(),
            },
            scores: Axis {
                lo,
                hi,
                from: PLOT.bottom(),
                to: PLOT.y,
            },
            today,
        }
    }

    fn draw_frame(&self, svg: &mut Svg, standing: &Standing) {
        svg.rect(PLOT, PLOT_FRAME);
        svg.rect(FADING, PLOT_FRAME);
        let words = "Score, difficulty taken out, in per cent";
        score_axis(svg, PLOT, &self.scores, true, words);
        for (day, words) in day_ticks(self.days.lo, self.days.hi) {
            let x = self.days.at(day);
            svg.line([(x, PLOT.y), (x, PLOT.bottom())], TICK);
            svg.line([(x, FADING.y), (x, FADING.bottom())], TICK);
            let half = text_width(&words, 13.0) / 2.0;
            if x - half < PLOT.x - 30.0 || x + half > PLOT.right() + 30.0 {
                continue;
            }
            svg.text(x, FADING.bottom() + 20.0, 13.0, BELOW, &words);
        }
        let words = "How much a score of that day still counts";
        svg.text(FADING.x, FADING.y - 8.0, 13.0, "fill=\"#555\"", words);
        if let Some(half_life) = standing.half_life() {
            self.draw_fading(svg, half_life);
        }
        for (words, y) in [("100 %", FADING.y + 11.0), ("0 %", FADING.bottom())] {
            svg.text(FADING.x - 8.0, y, 12.0, BESIDE, words);
        }
    }

    fn draw_fading(&self, svg: &mut Svg, half_life: f64) {
        let fade = Axis {
            lo: 0.0,
            hi: 1.0,
            from: FADING.bottom(),
            to: FADING.y,
        };
        let (lo, end) = (self.days.lo, self.days.at(self.today));
        let mut area = vec![(end, FADING.bottom()), (PLOT.x, FADING.bottom())];
        area.extend((0..=60).map(|i| {
            let day = lo + (self.today - lo) * f64::from(i) / 60.0;
            let left = (-(self.today - day) / half_life).exp2();
            (self.days.at(day), fade.at(left))
        }));
        svg.polyline(&area, &format!("fill=\"{}\" fill-opacity=\"0.35\"", blue()));
    }

    /// Draws the assessments, of which the one with the `most` share is the largest.
    fn draw_marks(&self, svg: &mut Svg, marks: &[Mark], most: f64) -> Vec<Dot> {
        let dot = |mark: &Mark| {
            // The area goes with the share in the level.
            let size = if most > 0.0 {
                (mark.share / most).sqrt()
            } else {
                0.0
            };
            Dot {
                x: self.days.at(mark.day),
                y: self.scores.at(mark.score),
                r: 3.0 + 9.0 * size,
            }
        };
        let dots: Vec<Dot> = marks.iter().map(dot).collect();
        for (mark, dot) in marks.iter().zip(&dots) {
            // The oldest stay visible.
            let opacity = 0.15 + 0.75 * mark.fade;
            let look = scored(&format!("{opacity:.2}"));
            svg.group(&mark.tooltip(), |svg| {
                svg.circle(dot.x, dot.y, dot.r, &look)
            });
        }
        dots
    }

    /// Draws the line of a trend that is shown, from end to end.
    fn draw_trend(&self, svg: &mut Svg, standing: &Standing) -> Option<[(f64, f64); 2]> {
        let [from, to] = standing.line.filter(|_| standing.has_trend())?;
        let ends = [(from.at, usable(from.score)?), (to.at, usable(to.score)?)];
        let ends = ends.map(|(at, score)| (self.days.at(days(at)), self.scores.at(score)));
        svg.line(ends, &trend_style(standing));
        Some(ends)
    }

    /// Draws the level with its interval, and returns the place that no name may cover.
    fn draw_level(&self, svg: &mut Svg, standing: &Standing, level: f64, words: &str) -> Rect {
        let (x, y) = (self.days.at(self.today), self.scores.at(level));
        svg.group(words, |svg| {
            if let Some((low, high)) = standing.interval() {
                interval_bar(svg, x, self.scores.at(low), self.scores.at(high));
            }
            svg.diamond(x, y, 9.0, LEVEL);
        });
        Rect {
            x: x - 10.0,
            y: PLOT.y,
            w: 20.0,
            h: PLOT.h,
        }
    }
}

fn name_marks(svg: &mut Svg, marks: &[Mark], dots: &[Dot], taken: &[Rect]) {
    let mut order: Vec<usize> = (0..marks.len()).filter(|&i| marks[i].share > 0.0).collect();
    order.sort_by(|&a, &b| marks[b].share.total_cmp(&marks[a].share).then(b.cmp(&a)));
    let names: Vec<(usize, String)> = order
        .into_iter()
        .take(NAMED)
        .map(|i| (i, fit(&marks[i].test.assessment, NAME_SIZE, 150.0)))
        .collect();
    write_names(svg, dots, &names, NAME_SIZE, PLOT, taken);
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
