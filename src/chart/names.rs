//! Finds places for names beside crowded dots.

use crate::draw::{Rect, Svg};
use crate::words::text_width;

/// Where a dot lies on the drawing, and how large it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    pub x: f64,
    pub y: f64,
    pub r: f64,
}

/// A line from a dot to its name.
pub type Leader = [(f64, f64); 2];

const HEIGHT: f64 = 16.0;

/// Finds for each wanted name (index of its dot, width) a place within `bounds` near its dot that
/// covers no other name, no dot with a name, no `taken` place and as few other dots as can be;
/// `None` when there is no room. Earlier names choose first.
pub fn place_names(
    dots: &[Dot],
    wanted: &[(usize, f64)],
    bounds: Rect,
    taken: &[Rect],
) -> Vec<Option<(Rect, Option<Leader>)>> {
    let mut taken = taken.to_vec();
    let mut leaders: Vec<Leader> = Vec::new();
    let mut places = Vec::with_capacity(wanted.len());
    for &(index, width) in wanted {
        let dot = dots[index];
        let mut best: Option<(f64, Rect, Option<Leader>)> = None;
        for away in [4.0, 9.0, 16.0, 26.0, 40.0, 60.0, 85.0, 115.0] {
            // Going further out cannot become better than this.
            if best.is_some_and(|(least, ..)| least <= away) {
                break;
            }
            for step in 0..16 {
                let (dy, dx) = (f64::from(step) * std::f64::consts::PI / 8.0).sin_cos();
                let reach = dot.r + away;
                let rect = Rect {
                    x: dot.x + dx * reach - width * (1.0 - dx) / 2.0,
                    y: dot.y + dy * reach - HEIGHT * (1.0 - dy) / 2.0,
                    w: width,
                    h: HEIGHT,
                };
                if !rect.within(bounds)
                    || wanted.iter().any(|&(i, _)| gap(rect, dots[i]) < 2.0)
                    || taken.iter().any(|t| rect.overlaps(*t))
                    || leaders.iter().any(|l| crosses(*l, rect))
                {
                    continue;
                }
                let (crowd, closest) = crowd(dots, dot, rect);
                let own = gap(rect, dot);
                let leader = (own > 7.0 || closest < own + 3.0).then(|| leader(rect, dot));
                if leader.is_some_and(|l| taken.iter().any(|t| crosses(l, *t))) {
                    continue;
                }
                // Right beside the dot reads best.
                let cost = away + crowd + dy.abs() * 4.0;
                if best.is_none_or(|(least, ..)| cost < least) {
                    best = Some((cost, rect, leader));
                }
            }
        }
        if let Some((_, rect, leader)) = best {
            taken.push(rect);
            leaders.extend(leader);
        }
        places.push(best.map(|(_, rect, leader)| (rect, leader)));
    }
    places
}

/// What the other dots under and near a name cost, and the gap to the closest of them.
fn crowd(dots: &[Dot], own: Dot, rect: Rect) -> (f64, f64) {
    let mut cost = 0.0;
    let mut closest = f64::INFINITY;
    for &dot in dots.iter().filter(|d| **d != own) {
        let gap = gap(rect, dot);
        closest = closest.min(gap);
        // A covered dot is lost, a close one misleads.
        if gap < 0.0 {
            cost += 30.0;
        } else if gap < 6.0 {
            cost += 8.0;
        }
    }
    (cost, closest)
}

fn nearest(rect: Rect, dot: Dot) -> (f64, f64) {
    (
        dot.x.clamp(rect.x, rect.x + rect.w),
        dot.y.clamp(rect.y, rect.y + rect.h),
    )
}

/// From the edge of a dot to a name; negative when the name covers it.
fn gap(rect: Rect, dot: Dot) -> f64 {
    let (x, y) = nearest(rect, dot);
    (x - dot.x).hypot(y - dot.y) - dot.r
}

/// Writes names (index of its dot, name) where there is room, and leads to those further away.
pub fn write_names(
    svg: &mut Svg,
    dots: &[Dot],
    names: &[(usize, String)],
    size: f64,
    bounds: Rect,
    taken: &[Rect],
) {
    let wanted: Vec<(usize, f64)> = names
        .iter()
        .map(|(dot, name)| (*dot, text_width(name, size)))
        .collect();
    let places = place_names(dots, &wanted, bounds, taken);
    for ((_, name), place) in names.iter().zip(places) {
        let Some((rect, leader)) = place else {
            continue;
        };
        if let Some(leader) = leader {
            svg.line(leader, "stroke=\"#555\" stroke-width=\"0.8\"");
        }
        let extra = "text-anchor=\"middle\" class=\"halo name\" fill=\"#111\"";
        let (x, y) = (rect.x + rect.w / 2.0, rect.y + 6.0 + size / 2.0);
        svg.text(x, y, size, extra, name);
    }
}

fn leader(rect: Rect, dot: Dot) -> Leader {
    let (x, y) = nearest(rect, dot);
    let share = dot.r / (gap(rect, dot) + dot.r);
    [
        (dot.x + (x - dot.x) * share, dot.y + (y - dot.y) * share),
        (x, y),
    ]
}

/// Leaders are short, so that a few points on them are enough.
fn crosses([(x1, y1), (x2, y2)]: Leader, rect: Rect) -> bool {
    (0..=12).any(|i| {
        let share = f64::from(i) / 12.0;
        let (x, y) = (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share);
        Rect {
            x,
            y,
            w: 0.0,
            h: 0.0,
        }
        .overlaps(rect)
    })
}
