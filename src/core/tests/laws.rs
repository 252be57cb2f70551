//! What holds for any response table.

mod common;

use std::collections::HashMap;

use common::solve::{self, Ask, Asked};
use common::{
    OwnId, OwnRow, Solved, assert_past_sound, builder, cases, close, go, gradebook, merge, normal,
    row,
};
use pg_assess_core::gradebook::{Exclusion, Gradebook, MaxScore};
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::{Counting, Options};
use pg_assess_core::time::{DAY, MAX_TIME, MIN_TIME};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Ids of one type: 0 integers, 1 uuids, 2 texts.
fn id(kind: u8, number: u8) -> OwnId {
    const TEXTS: [&str; 6] = ["", "Zoë", "a", "a ", "ß-ничто", "\u{1f393}"];
    match kind {
        0 if number == 0 => OwnId::Integer(i64::MIN),
        0 if number == 1 => OwnId::Integer(i64::MAX),
        0 => OwnId::Integer(i64::from(number) - 3),
        1 => OwnId::Uuid(u128::from(number).wrapping_mul(u128::MAX / 9)),
        _ => OwnId::Text(
            TEXTS
                .get(usize::from(number))
                .map_or_else(|| format!("id {number}"), |text| (*text).to_owned()),
        ),
    }
}

/// Score and maximum: mostly fine, of every kind.
fn score() -> impl Strategy<Value = (Option<f64>, MaxScore)> {
    let points = |max: f64| MaxScore::Points(Some(max));
    prop_oneof![
        6 => prop_oneof![Just(0.0), Just(1.0)].prop_map(|x| (Some(x), MaxScore::Share)),
        4 => (0..=4u8).prop_map(move |x| (Some(f64::from(x)), points(4.0))),
        3 => (0.0..=1.0f64).prop_map(|x| (Some(x), MaxScore::Share)),
        3 => (0..=250u16).prop_map(move |x| (Some(f64::from(x)), points(f64::INFINITY))),
        1 => Just((None, MaxScore::Share)),
        1 => Just((Some(-0.5), MaxScore::Share)),
        1 => Just((Some(5.0), points(4.0))),
        1 => Just((Some(1e308), points(1e-308))),
        1 => Just((Some(-5e-324), points(1e9))),
        1 => Just((Some(-0.0), points(1e9))),
        1 => Just((Some(1.0), MaxScore::Points(None))),
        1 => Just((Some(1.0), points(0.0))),
        1 => Just((Some(f64::NAN), MaxScore::Share)),
        1 => Just((Some(f64::INFINITY), points(f64::INFINITY))),
    ]
}

/// Up to `most` rows over few ids, so that they meet; several attempts, NULLs of each kind.
fn rows(most: usize) -> impl Strategy<Value = Vec<OwnRow>> {
    let null = || prop::bool::weighted(0.02);
    let time = prop_oneof![
        20 => (0..400i64, 0..3i64).prop_map(|(day, third)| Some(day * DAY + third * DAY / 3)),
        1 => Just(None),
        1 => Just(Some(i64::MAX)),
    ];
    let one = (
        (0..8u8, 0..6u8, 0..4u8),
        (null(), null(), null()),
        score(),
        time,
    );
    let kinds = (0..3u8, 0..3u8, 0..3u8);
    (kinds, prop::collection::vec(one, 0..most)).prop_map(|((s, i, a), rows)| {
        rows.into_iter()
            .map(|(numbers, nulls, score, taken_at)| OwnRow {
                student: (!nulls.0).then(|| id(s, numbers.0)),
                item: (!nulls.1).then(|| id(i, numbers.1)),
                assessment: (!nulls.2).then(|| id(a, numbers.2)),
                score: score.0,
                max_score: score.1,
                taken_at,
            })
            .collect()
    })
}

/// A small school: enough answers per item for every status, some students absent.
fn school(seed: u64) -> Vec<OwnRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let students = rng.gen_range(5..45);
    let (assessments, questions) = (rng.gen_range(1..9), rng.gen_range(1..7));
    let attendance = rng.gen_range(0.5..1.0);
    let effects: Vec<f64> = (0..assessments * questions)
        .map(|_| normal(&mut rng))
        .collect();
    let mut rows = Vec::new();
    for student in 0..students {
        let (ability, drift) = (normal(&mut rng), 0.3 * normal(&mut rng));
        for assessment in 0..assessments {
            if !rng.gen_bool(attendance) {
                continue;
            }
            let day = f64::from(assessment * 20) + f64::from(rng.gen_range(0..3u8));
            for question in 0..questions {
                let item = assessment * questions + question;
                let logit = ability + drift * f64::from(assessment) + effects[item as usize];
                let chance = 1.0 / (1.0 + (-1.5 * logit).exp());
                let sign = if question == 5 { 1.0 - chance } else { chance };
                let score = f64::from(rng.gen_bool(sign));
                let (item, assessment) = (i64::from(item), i64::from(assessment));
                rows.push(row(i64::from(student), item, assessment, score, day));
            }
        }
    }
    rows
}

fn table() -> impl Strategy<Value = Vec<OwnRow>> {
    prop_oneof![2 => rows(70), 1 => any::<u64>().prop_map(school)]
}

/// Choices of every kind, also odd ones.
fn options() -> impl Strategy<Value = Asked> {
    let attempts = prop_oneof![
        Just(Attempts::First),
        Just(Attempts::Last),
        Just(Attempts::Best)
    ];
    let counting = prop_oneof![
        Just(Counting::Effective),
        Just(Counting::Assessments),
        Just(Counting::Responses)
    ];
    let base = (any::<bool>(), any::<bool>(), any::<bool>());
    let figures = (
        prop_oneof![4 => Just(60.0), 1 => Just(1e-3), 1 => Just(1e9), 1 => 1.0..400.0f64],
        prop_oneof![4 => Just(4.0), 1 => Just(0.0), 1 => Just(0.01)],
        prop_oneof![4 => Just(10.0), 1 => Just(0.0)],
        prop_oneof![4 => Just(0.25), 1 => Just(0.0), 1 => Just(1.0)],
        prop_oneof![4 => Just(0.95), 1 => Just(0.5), 1 => Just(0.999_999)],
        prop_oneof![4 => Just(None), 1 => Just(Some(0.5)), 1 => Just(Some(-1e300))],
        prop_oneof![3 => Just(None), 1 => Just(Some(90.0))],
    );
    (attempts, counting, base, figures).prop_map(
        |(attempts, counting, (adjust, shrink, quality), figures)| {
            let options = Options {
                counting,
                adjust_difficulty: adjust,
                shrink,
                quality,
                half_life: figures.0,
                noise_df: figures.1,
                trend_noise_df: figures.1,
                min_answers: figures.2,
                weight_floor: figures.3,
                confidence: figures.4,
                cut: figures.5,
                trend_window: figures.6,
                flag_answers: 10,
                side_answers: 5,
                ..Options::default()
            };
            Asked {
                attempts,
                ..Asked::from(options)
            }
        },
    )
}

/// What the rule book says of a row, the slow way.
fn verdict(row: &OwnRow) -> Result<f64, Exclusion> {
    if row.student.is_none() || row.item.is_none() || row.assessment.is_none() {
        return Err(Exclusion::NullId);
    }
    let at = row.taken_at.ok_or(Exclusion::NullDate)?;
    let score = row.score.ok_or(Exclusion::NullScore)?;
    let max = match row.max_score {
        MaxScore::Share => 1.0,
        MaxScore::Points(Some(max)) if max > 0.0 => max,
        MaxScore::Points(_) => return Err(Exclusion::NoMaxScore),
    };
    if !score.is_finite() || !(MIN_TIME..=MAX_TIME).contains(&at) {
        return Err(Exclusion::NotFinite);
    }
    if score < 0.0 || score > max {
        return Err(Exclusion::OutOfRange);
    }
    Ok(score)
}

/// When the last usable row was taken.
fn latest(rows: &[OwnRow]) -> i64 {
    let usable = rows.iter().filter(|row| verdict(row).is_ok());
    usable.filter_map(|row| row.taken_at).max().unwrap_or(0)
}

/// The attempt that counts of each (student, item, assessment).
fn picked(rows: &[OwnRow], attempts: Attempts, as_of: i64) -> HashMap<[OwnId; 3], (i64, u64, f64)> {
    let mut picked: HashMap<[OwnId; 3], (i64, u64, f64)> = HashMap::new();
    for row in rows {
        let (Ok(points), Some(at)) = (verdict(row), row.taken_at) else {
            continue;
        };
        if at > as_of {
            continue;
        }
        // An open scale ranks above shares: nothing else would make them comparable.
        let (open, score) = match row.max_score {
            MaxScore::Points(Some(f64::INFINITY)) => (1, points),
            MaxScore::Points(Some(max)) => (0, points / max + 0.0), // No -0.
            _ => (0, points),
        };
        let key = [&row.student, &row.item, &row.assessment].map(|id| id.clone().expect("an id"));
        let new = (at, open, score);
        let wins = |old: &(i64, u64, f64)| {
            let higher = (open, score) > (old.1, old.2);
            match attempts {
                Attempts::First => at < old.0 || (at == old.0 && higher),
                Attempts::Last => at > old.0 || (at == old.0 && higher),
                Attempts::Best => higher || ((open, score) == (old.1, old.2) && at < old.0),
            }
        };
        picked
            .entry(key)
            .and_modify(|old| {
                if wins(old) {
                    *old = new;
                }
            })
            .or_insert(new);
    }
    picked
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn the_order_of_rows_does_not_matter(
        rows in table(), options in options(), seed in any::<u64>(),
    ) {
        let mut shuffled = rows.clone();
        shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (one, other) = (gradebook(&rows), gradebook(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(Solved::of(&one, &options).text(), Solved::of(&other, &options).text());
    }

    #[test]
    fn the_way_rows_are_split_and_merged_does_not_matter(rows in table(), seed in any::<u64>()) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n = rng.gen_range(1..6);
        let mut groups = vec![Vec::new(); n];
        for row in &rows {
            groups[rng.gen_range(0..n)].push(row);
        }
        let mut parts: Vec<Vec<u8>> = groups.into_iter().map(gradebook).collect();
        let whole = gradebook(&rows);
        prop_assert_eq!(&merge(&parts), &whole);
        while parts.len() > 1 {
            // Two of them, in either order.
            parts.shuffle(&mut rng);
            let tail = parts.split_off(parts.len() - 2);
            parts.push(merge(&tail));
        }
        prop_assert_eq!(&parts[0], &whole);
        // A builder that has rows already goes on with a gradebook as with rows.
        let half = rows.len() / 2;
        let mut mixed = builder(&rows[..half]);
        let rest = gradebook(&rows[half..]);
        mixed.merge(&Gradebook::open(&rest).expect("a gradebook"), &go).expect("the same types");
        prop_assert_eq!(mixed.encode(&go).expect("small"), whole);
    }

    #[test]
    fn an_empty_gradebook_adds_nothing(rows in table()) {
        let (whole, empty) = (gradebook(&rows), gradebook([]));
        prop_assert_eq!(&merge([&whole, &empty]), &whole);
        prop_assert_eq!(&merge([&empty, &whole]), &whole);
    }

    #[test]
    fn both_forms_read_back(rows in table()) {
        let bytes = gradebook(&rows);
        common::check(&bytes).expect("what was written can be read");
        prop_assert_eq!(&Gradebook::from_text(&Gradebook::to_text(&bytes), &go).expect("text"), &bytes);
        prop_assert_eq!(&merge([&bytes]), &bytes);
    }

    #[test]
    fn the_attempt_that_counts_is_the_one_a_slow_filter_finds(
        rows in rows(70), attempts in prop_oneof![
            Just(Attempts::First), Just(Attempts::Last), Just(Attempts::Best)
        ], day in prop_oneof![Just(400i64), 0..400i64],
    ) {
        let as_of = day * DAY;
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let options = Asked { attempts, as_of: Some(as_of), ..Asked::from(Options::plain()) };
        let expected = picked(&rows, attempts, as_of);
        let open_items: Vec<String> = expected
            .iter()
            .filter(|(_, (_, open, _))| *open == 1)
            .map(|([_, item, _], _)| item.id().to_string())
            .collect();
        let mut found = 0;
        for (student, contributions) in Solved::of(&bytes, &options).explanations {
            for row in contributions {
                let key = [
                    book.students().get(student),
                    book.items().get(row.item),
                    book.assessments().get(row.assessment),
                ];
                let (_, &(at, _, score)) = expected
                    .iter()
                    .find(|(ids, _)| [ids[0].id(), ids[1].id(), ids[2].id()] == key)
                    .expect("a response that was put in");
                prop_assert_eq!(row.taken_at, at);
                if !open_items.contains(&key[1].to_string()) {
                    prop_assert_eq!(row.score.to_bits(), score.to_bits());
                }
                found += 1;
            }
        }
        prop_assert_eq!(found, expected.len());
    }

    #[test]
    fn every_row_is_counted_once(rows in table(), options in options(), day in 0..400i64) {
        let options = Asked { as_of: Some(day * DAY), ..options };
        let coverage: HashMap<_, _> =
            Solved::of(&gradebook(&rows), &options).coverage.into_iter().collect();
        prop_assert_eq!(coverage.values().sum::<u64>(), rows.len() as u64);
        for reason in Exclusion::ALL {
            let expected = rows.iter().filter(|row| verdict(row) == Err(reason)).count();
            prop_assert_eq!(coverage[reason.label()], expected as u64, "{}", reason.label());
        }
        let later = |row: &&OwnRow| verdict(row).is_ok() && row.taken_at > options.as_of;
        prop_assert_eq!(coverage["future"], rows.iter().filter(later).count() as u64);
        let used = picked(&rows, options.attempts, day * DAY).len();
        prop_assert_eq!(coverage["used"], used as u64);
    }

    #[test]
    fn figures_are_sound(rows in table(), options in options(), day in 0..400i64, now in any::<bool>()) {
        let as_of = (!now).then_some(day * DAY);
        let options = Asked { as_of, ..options };
        let bytes = gradebook(&rows);
        Solved::of(&bytes, &options).assert_sound(&options);
        assert_past_sound(&bytes, &options);
    }

    #[test]
    fn what_comes_later_changes_nothing(
        rows in table(), later in rows(40), options in options(), day in 0..300i64,
    ) {
        let as_of = day * DAY;
        let options = Asked { as_of: Some(as_of), ..options };
        // Ids of both must be of one type: take those of the later rows where they differ.
        let kind = |rows: &[OwnRow]| {
            let texts = |id: &Option<OwnId>| matches!(id, Some(OwnId::Text(_)));
            let uuids = |id: &Option<OwnId>| matches!(id, Some(OwnId::Uuid(_)));
            let ids = |row: &OwnRow| [row.student.clone(), row.item.clone(), row.assessment.clone()];
            let mut kinds = [0; 3];
            for row in rows {
                for (kind, id) in kinds.iter_mut().zip(ids(row)) {
                    *kind = if texts(&id) { 2 } else if uuids(&id) { 1 } else { *kind };
                }
            }
            kinds
        };
        let kinds = kind(&rows);
        let mut all = rows.clone();
        for (at, mut row) in later.into_iter().enumerate() {
            // Unusable rows may stand there too, but nobody knows when one without a date came.
            let Some(taken_at) = row.taken_at.filter(|at| *at < MAX_TIME) else { continue };
            // Some known, some new.
            let number = (at % 23) as u8;
            row.student = row.student.map(|_| id(kinds[0], number));
            row.item = row.item.map(|_| id(kinds[1], number % 7));
            row.assessment = row.assessment.map(|_| id(kinds[2], number % 5));
            row.taken_at = Some(as_of + 1 + taken_at);
            all.push(row);
        }
        let (then, now) = (gradebook(&rows), gradebook(&all));
        let (before, after) = (Solved::of(&then, &options), Solved::of(&now, &options));
        prop_assert_eq!(before.text_by_id(&then), after.text_by_id(&now));
        for (reason, rows) in before.coverage {
            if ["used", "duplicate"].contains(&reason) {
                prop_assert!(after.coverage.contains(&(reason, rows)));
            }
        }
    }

    #[test]
    fn the_default_date_is_that_of_the_latest_response(rows in table(), options in options()) {
        let bytes = gradebook(&rows);
        let by_default = Solved::of(&bytes, &options);
        let options = Asked { as_of: Some(latest(&rows)), ..options };
        let by_date = Solved::of(&bytes, &options);
        // Students whose rows are all unusable are known by default whatever the dates in them.
        let answering = |solved: &Solved| -> String {
            format!("{:?}", solved.students.iter().filter(|row| row.n > 0).collect::<Vec<_>>())
        };
        prop_assert_eq!(answering(&by_default), answering(&by_date));
        prop_assert_eq!(format!("{:?}", by_default.items), format!("{:?}", by_date.items));
        prop_assert_eq!(by_default.coverage, by_date.coverage);
    }

    #[test]
    fn silence_widens_and_moves_nothing(rows in table(), options in options(), days in 1..500i64) {
        let bytes = gradebook(&rows);
        let solve = |as_of| Solved::of(&bytes, &Asked { as_of: Some(as_of), ..options.clone() });
        let now = solve(latest(&rows));
        let then = solve(latest(&rows) + days * DAY);
        prop_assert_eq!(format!("{:?}", now.items), format!("{:?}", then.items));
        for student in &now.students {
            let other = then.student(student.student);
            let (Some(a), Some(b)) = (student.level, other.level) else {
                prop_assert_eq!(student.level, other.level);
                continue;
            };
            prop_assert_eq!(a.level.to_bits(), b.level.to_bits());
            prop_assert_eq!(a.raw_level, b.raw_level);
            prop_assert!(b.se >= a.se && b.ci_high >= a.ci_high && b.ci_low <= a.ci_low);
            if a.last_at.is_some() && a.information > 0.0 {
                prop_assert!(b.information < a.information);
            }
        }
    }

    #[test]
    fn names_do_not_matter(rows in table(), options in options(), kinds in [0..2u8, 0..2, 0..2]) {
        let rename = |pick: fn(&OwnRow) -> &Option<OwnId>, kind: u8| -> HashMap<OwnId, OwnId> {
            let mut ids: Vec<OwnId> = rows.iter().filter_map(|row| pick(row).clone()).collect();
            ids.sort();
            ids.dedup();
            let name = |place: usize| match kind {
                0 => OwnId::Integer(place as i64 * 1000 - 5000),
                _ => OwnId::Text(format!("{place:05}")),
            };
            ids.into_iter().enumerate().map(|(place, id)| (id, name(place))).collect()
        };
        let students = rename(|row| &row.student, kinds[0]);
        let items = rename(|row| &row.item, kinds[1]);
        let assessments = rename(|row| &row.assessment, kinds[2]);
        let renamed: Vec<OwnRow> = rows
            .iter()
            .map(|row| OwnRow {
                student: row.student.as_ref().map(|id| students[id].clone()),
                item: row.item.as_ref().map(|id| items[id].clone()),
                assessment: row.assessment.as_ref().map(|id| assessments[id].clone()),
                ..row.clone()
            })
            .collect();
        let (one, other) = (gradebook(&rows), gradebook(&renamed));
        prop_assert_eq!(Solved::of(&one, &options).text(), Solved::of(&other, &options).text());
    }

    #[test]
    fn an_excluded_assessment_counts_as_if_it_had_never_been(
        rows in table(), options in options(), pick in any::<u8>(),
    ) {
        let as_of = Some(latest(&rows));
        let bytes = gradebook(&rows);
        let ids = Gradebook::open(&bytes).expect("a gradebook").assessments().clone();
        prop_assume!(!ids.is_empty());
        let number = u32::from(pick) % ids.len() as u32;
        let other = |row: &&OwnRow| row.assessment.as_ref().map(OwnId::id) != Some(ids.get(number));
        let without: Vec<OwnRow> = rows.iter().filter(other).cloned().collect();
        let kept = Asked { as_of, ..options };
        let excluding = Asked { exclude: vec![number], ..kept.clone() };
        let rest = gradebook(&without);
        let answering = |solved: Solved, bytes: &[u8]| {
            let solved = Solved {
                students: solved.students.into_iter().filter(|row| row.n > 0).collect(),
                explanations: Vec::new(),
                ..solved
            };
            solved.text_by_id(bytes)
        };
        prop_assert_eq!(
            answering(Solved::of(&bytes, &excluding), &bytes),
            answering(Solved::of(&rest, &kept), &rest)
        );
    }

    #[test]
    fn ids_are_found_by_how_they_read(rows in rows(40)) {
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        for ids in [book.students(), book.items(), book.assessments()] {
            for at in 0..ids.len() as u32 {
                prop_assert_eq!(ids.find(&ids.get(at).to_string()), Some(at));
            }
            prop_assert_eq!(ids.find("no such id"), None);
        }
    }

    #[test]
    fn an_easier_test_helps_nobody(seed in any::<u64>(), constant in 0.01..0.5f64, pick in any::<u8>()) {
        // Scores between 0 and a half leave room for the constant.
        let rows: Vec<OwnRow> = school(seed)
            .into_iter()
            .map(|row| OwnRow { score: row.score.map(|score| score / 2.0), ..row })
            .collect();
        let assessments = rows.iter().filter_map(|row| row.assessment.clone()).collect::<Vec<_>>();
        prop_assume!(!assessments.is_empty());
        let chosen = Some(assessments[usize::from(pick) % assessments.len()].clone());
        let easier: Vec<OwnRow> = rows
            .iter()
            .map(|row| OwnRow {
                score: row.score.map(|x| if row.assessment == chosen { x + constant } else { x }),
                ..row.clone()
            })
            .collect();
        let options = Options::default();
        let before = Solved::of(&gradebook(&rows), &options);
        let after = Solved::of(&gradebook(&easier), &options);
        for (a, b) in before.items.iter().zip(&after.items) {
            prop_assert_eq!(a.quality.status, b.quality.status);
            close(a.quality.weight, b.quality.weight, 1e-9, "weight");
        }
        for (a, b) in before.students.iter().zip(&after.students) {
            let (x, y) = (a.level.expect("a level"), b.level.expect("a level"));
            close(x.level - x.prior, y.level - y.prior, 1e-9, "level - prior");
            close(x.need.expect("need"), y.need.expect("need"), 1e-9, "need");
            common::close_option(a.trend.slope, b.trend.slope, 1e-9, "slope");
            common::close_option(a.trend.slope_se, b.trend.slope_se, 1e-9, "slope_se");
            prop_assert_eq!(a.trend.direction, b.trend.direction);
            prop_assert_eq!(a.status, b.status);
        }
        // Students who are tied but for rounding may change places.
        let by_rank = |solved: &Solved| {
            let mut order: Vec<(u64, f64)> = solved
                .students
                .iter()
                .filter_map(|row| Some((row.need_rank?, row.level?.need?)))
                .collect();
            order.sort_by_key(|(rank, _)| *rank);
            order
        };
        for (a, b) in by_rank(&before).into_iter().zip(by_rank(&after)) {
            close(a.1, b.1, 1e-9, "need by rank");
        }
    }

    #[test]
    fn one_half_life_halves(x0 in 0.0..=1.0f64, x1 in 0.0..=1.0f64, half_life in 1..400i64) {
        let rows = [row(1, 1, 1, x0, 0.0), row(1, 2, 2, x1, half_life as f64)];
        let options = Options { half_life: half_life as f64, ..Options::plain() };
        let solved = Solved::of(&gradebook(&rows), &options);
        let level = solved.students[0].level.expect("a level");
        close(level.raw_level.expect("scores"), (x0 * 0.5 + x1) / 1.5, 1e-15, "raw level");
        let decays: Vec<f64> = solved.explanation(0).expect("known").iter().map(|row| row.decay).collect();
        prop_assert_eq!(decays, vec![0.5, 1.0]);
        prop_assert_eq!(level.information, 1.5);
    }
}

/// Tables nobody made in good faith.
fn hostile() -> Vec<(&'static str, Vec<OwnRow>)> {
    let open = |student, item, assessment, score, day| OwnRow {
        max_score: MaxScore::Points(Some(f64::INFINITY)),
        ..row(student, item, assessment, score, day)
    };
    let at = |row: OwnRow, at| OwnRow {
        taken_at: Some(at),
        ..row
    };
    let grid =
        |students: i64, items: i64, assessments: i64, score: &dyn Fn(i64, i64, i64) -> f64| {
            let mut rows = Vec::new();
            for s in 0..students {
                for a in 0..assessments {
                    for i in 0..items {
                        rows.push(row(s, a * items + i, a, score(s, i, a), (30 * a) as f64));
                    }
                }
            }
            rows
        };
    let opened = |rows: Vec<OwnRow>, score: &dyn Fn(usize) -> f64| -> Vec<OwnRow> {
        (0..)
            .zip(rows)
            .map(|(at, row)| OwnRow {
                score: Some(score(at)),
                max_score: MaxScore::Points(Some(f64::INFINITY)),
                ..row
            })
            .collect()
    };
    let one = |s: i64, i: i64, a: i64| f64::from(u8::from((s * 7 + i * 3 + a) % 5 < 2));
    vec![
        ("nothing", vec![]),
        ("one row", vec![row(1, 1, 1, 0.5, 0.0)]),
        ("one student", grid(1, 5, 6, &one)),
        ("one item", grid(40, 1, 1, &one)),
        ("one item a time", grid(40, 1, 6, &one)),
        ("all the same", grid(40, 4, 6, &|_, _, _| 0.7)),
        ("all right", grid(40, 4, 6, &|_, _, _| 1.0)),
        ("all wrong", grid(40, 4, 6, &|_, _, _| 0.0)),
        (
            "all alike but one",
            grid(40, 4, 6, &|s, i, a| f64::from(u8::from(s + i + a > 0))),
        ),
        (
            "students constant",
            grid(40, 4, 6, &|s, _, _| s as f64 / 40.0),
        ),
        ("items constant", grid(40, 4, 6, &|_, i, _| i as f64 / 4.0)),
        (
            "two kinds of students",
            grid(40, 4, 6, &|s, _, _| f64::from(u8::from(s < 20))),
        ),
        (
            "all items alike",
            grid(40, 4, 6, &|s, _, a| f64::from(u8::from((s + a) % 3 == 0))),
        ),
        (
            "tiny shares",
            grid(40, 4, 6, &|s, i, a| 5e-324 * one(s, i, a)),
        ),
        (
            "small shares",
            grid(40, 4, 6, &|s, i, a| 1e-160 * one(s, i, a)),
        ),
        (
            "a power for every assessment",
            grid(12, 3, 300, &|s, i, a| 10f64.powi(-a as i32) * one(s, i, a)),
        ),
        (
            "small and large shares",
            grid(40, 4, 6, &|s, i, a| {
                if s == 0 {
                    1e-160 * one(s, i, a)
                } else {
                    one(s, i, a)
                }
            }),
        ),
        ("noise of one is tiny", {
            let mut rows = grid(40, 4, 1, &|s, _, _| s as f64 / 40.0);
            rows.extend([row(0, 90, 9, 0.0, 3.0), row(0, 91, 9, 1e-160, 3.0)]);
            rows.extend([row(99, 90, 9, 0.0, 3.0), row(99, 91, 7, 1e-160, 9.0)]);
            rows
        }),
        (
            "almost one",
            grid(40, 4, 6, &|s, i, a| 1.0 - 1.1e-16 * one(s, i, a)),
        ),
        (
            "huge open scale",
            opened(grid(40, 4, 6, &one), &|at| {
                if at == 17 { 1e308 } else { at as f64 }
            }),
        ),
        (
            "many huge",
            opened(grid(40, 4, 6, &one), &|at| 1e308 / (1 + at) as f64),
        ),
        (
            "tiny open scale",
            opened(grid(40, 4, 6, &one), &|at| 5e-324 * at as f64),
        ),
        (
            "every magnitude",
            opened(grid(40, 4, 6, &one), &|at| {
                10f64.powi(at as i32 % 600 - 300)
            }),
        ),
        (
            "one open score each",
            vec![open(1, 1, 1, 1e308, 0.0), open(2, 2, 1, 5e-324, 0.0)],
        ),
        (
            "two open scores",
            vec![open(1, 1, 1, 1e308, 0.0), open(2, 1, 1, 0.0, 0.0)],
        ),
        (
            "largest double",
            vec![open(1, 1, 1, f64::MAX, 0.0), open(2, 1, 1, f64::MAX, 0.0)],
        ),
        ("open beside shares", {
            let mut rows = grid(40, 2, 6, &one);
            rows.extend(opened(grid(40, 1, 6, &one), &|at| (at % 97) as f64));
            rows
        }),
        (
            "the ends of time",
            vec![
                at(row(1, 1, 1, 0.0, 0.0), MIN_TIME),
                at(row(1, 2, 2, 1.0, 0.0), MAX_TIME),
                at(row(2, 1, 1, 1.0, 0.0), MAX_TIME),
                at(row(2, 2, 2, 0.0, 0.0), MIN_TIME),
                at(row(3, 3, 3, 0.0, 0.0), 0),
            ],
        ),
        (
            "the ends of time, often",
            (0..200)
                .map(|n| {
                    at(
                        row(n % 20, n % 7, n % 11, (n % 2) as f64, 0.0),
                        match n % 3 {
                            0 => MIN_TIME + n,
                            1 => MAX_TIME - n,
                            _ => n,
                        },
                    )
                })
                .collect(),
        ),
        (
            "duplicates",
            (0..50)
                .map(|n| row(1, 1, 1, f64::from(n % 2), f64::from(n / 10)))
                .collect(),
        ),
        (
            "attempts all over",
            (0..400)
                .map(|n| {
                    row(
                        n % 5,
                        n % 3,
                        n % 2,
                        (n % 7) as f64 / 6.0,
                        (n * 37 % 100) as f64,
                    )
                })
                .collect(),
        ),
        (
            "steps of a microsecond",
            (0..60)
                .map(|n| at(row(n % 3, n, n, (n % 2) as f64, 0.0), n))
                .collect(),
        ),
        // One assessment for each number of questions, all saying the same.
        (
            "questions alike",
            (2..20)
                .flat_map(|k| {
                    grid(13, k, 1, &|s, _, _| (s * s % 11) as f64 / 11.0)
                        .into_iter()
                        .map(move |row| OwnRow {
                            assessment: Some(OwnId::Integer(k)),
                            ..row
                        })
                })
                .collect(),
        ),
        // A covariance above the variances, which no complete table could have.
        (
            "half-empty assessment",
            (0..60)
                .flat_map(|s| match s % 3 {
                    0 => vec![
                        row(s, 1, 1, (s % 2) as f64, 0.0),
                        row(s, 2, 1, (s % 2) as f64, 0.0),
                    ],
                    item => vec![row(s, item, 1, 0.5, 0.0)],
                })
                .collect(),
        ),
        (
            "an old and a new score",
            (0..40)
                .flat_map(|s| {
                    [
                        row(s, 1, 1, 0.2, 0.0),
                        row(s, 2, 2, s as f64 / 40.0, 3000.0),
                    ]
                })
                .collect(),
        ),
        (
            "hardly linked",
            (0..60)
                .map(|n| {
                    row(
                        n / 2,
                        n / 2 + n % 2,
                        n % 9,
                        ((n * n) % 11) as f64 / 10.0,
                        n as f64,
                    )
                })
                .collect(),
        ),
    ]
}

#[test]
fn hostile_tables_give_sound_figures() {
    for (name, rows) in hostile() {
        println!("{name}");
        let bytes = gradebook(&rows);
        for counting in [
            Counting::Effective,
            Counting::Assessments,
            Counting::Responses,
        ] {
            for (adjust, shrink, quality) in [
                (true, true, true),
                (false, false, false),
                (true, false, true),
                (false, true, true),
            ] {
                let options = Options {
                    counting,
                    adjust_difficulty: adjust,
                    shrink,
                    quality,
                    trend_window: None,
                    side_answers: 1,
                    ..Options::default()
                };
                Solved::of(&bytes, &options).assert_sound(&options);
                assert_past_sound(&bytes, &options);
            }
        }
    }
}

#[test]
fn hostile_tables_of_last_year_give_sound_figures() {
    let at = |row: &OwnRow, at| OwnRow {
        taken_at: Some(at),
        ..row.clone()
    };
    for (number, (name, old)) in (0..).zip(hostile()) {
        println!("{name}");
        let old = gradebook(&old);
        let as_bad = hostile().into_iter().skip(number % 4).step_by(4);
        // Responses at the end of time; the same without any score; tables as bad, later.
        let new: Vec<OwnRow> = school(3).iter().map(|row| at(row, MAX_TIME)).collect();
        let blank: Vec<OwnRow> = new
            .iter()
            .map(|row| OwnRow {
                score: None,
                ..row.clone()
            })
            .collect();
        for (at, (_, mut new)) in (0..).zip([("", new), ("", blank)].into_iter().chain(as_bad)) {
            for row in &mut new {
                let later = |at: i64| at.saturating_add(9999 * DAY).min(MAX_TIME);
                row.taken_at = row.taken_at.map(later);
            }
            let new = gradebook(&new);
            let (before, after) = (
                Gradebook::open(&old).expect("a gradebook"),
                Gradebook::open(&new).expect("a gradebook"),
            );
            let mut options = Asked::from(Options {
                carry_over: [0.65, 1.0][at % 2],
                ..Options::default()
            });
            let told = solve::previous(&before, &options, &after, &options, &|at| at, &go);
            options.previous = told.expect("last year");
            Solved::of(&new, &options).assert_sound(&options);
        }
    }
}

#[test]
fn hostile_choices_give_sound_figures() {
    let base = Options::default;
    let choices = [
        Options {
            half_life: f64::MIN_POSITIVE,
            ..base()
        },
        Options {
            half_life: 5e-324,
            ..base()
        },
        Options {
            half_life: f64::MAX,
            ..base()
        },
        Options {
            noise_df: f64::MAX,
            ..base()
        },
        Options {
            noise_df: 5e-324,
            ..base()
        },
        Options {
            noise_df: 5e-324,
            shrink: false,
            ..base()
        },
        Options {
            trend_noise_df: f64::MAX,
            ..base()
        },
        Options {
            trend_noise_df: 5e-324,
            ..base()
        },
        Options {
            trend_noise_df: 0.0,
            ..base()
        },
        Options {
            confidence: 1.0 - f64::EPSILON,
            ..base()
        },
        Options {
            confidence: 1.0 - f64::EPSILON / 2.0,
            ..base()
        },
        Options {
            confidence: 5e-324,
            ..base()
        },
        Options {
            flag_alpha: 5e-324,
            ..base()
        },
        Options {
            half_precision_items: 0.0,
            ..base()
        },
        Options {
            half_precision_items: f64::MAX,
            ..base()
        },
        Options {
            cut: Some(f64::MAX),
            ..base()
        },
        Options {
            cut: Some(f64::MIN),
            ..base()
        },
        Options {
            cut_share: 5e-324,
            ..base()
        },
        Options {
            upper_lower_share: 5e-324,
            ..base()
        },
        Options {
            trend_window: Some(5e-324),
            ..base()
        },
        Options {
            min_answers: f64::MAX,
            ..base()
        },
        Options {
            min_answers: 0.0,
            flag_answers: 0,
            ..base()
        },
        Options {
            steady_margin: f64::MAX,
            trend_min_dates: 0,
            trend_min_span: 0.0,
            ..base()
        },
        Options {
            side_answers: 0,
            drift_alpha: 1.0 - f64::EPSILON,
            drift_margin: 0.0,
            ..base()
        },
        Options {
            side_answers: u64::MAX,
            drift_alpha: 5e-324,
            drift_margin: f64::MAX,
            ..base()
        },
    ];
    let scopes = [
        Asked {
            exclude: vec![0, 1, u32::MAX],
            ..Asked::from(base())
        },
        Asked {
            as_of: Some(i64::MIN),
            ..Asked::from(base())
        },
        Asked {
            as_of: Some(i64::MAX),
            ..Asked::from(base())
        },
    ];
    for options in choices.into_iter().map(Asked::from).chain(scopes) {
        options.checked().expect("an allowed choice");
        for rows in [school(1), school(2), school(3)] {
            println!("{options:?}");
            let bytes = gradebook(&rows);
            Solved::of(&bytes, &options).assert_sound(&options);
            assert_past_sound(&bytes, &options);
        }
    }
}

#[test]
fn bad_choices_are_refused() {
    let bytes = gradebook(&school(1));
    let book = Gradebook::open(&bytes).expect("a gradebook");
    let base = Options::default;
    for options in [
        Options {
            half_life: 0.0,
            ..base()
        },
        Options {
            half_life: f64::NAN,
            ..base()
        },
        Options {
            half_life: f64::INFINITY,
            ..base()
        },
        Options {
            confidence: 1.0,
            ..base()
        },
        Options {
            cut: Some(f64::NAN),
            ..base()
        },
        Options {
            noise_df: -1.0,
            ..base()
        },
        Options {
            trend_noise_df: -1.0,
            ..base()
        },
        Options {
            trend_noise_df: f64::INFINITY,
            ..base()
        },
        Options {
            weight_floor: 1.5,
            ..base()
        },
        Options {
            due_share: 0.0,
            ..base()
        },
        Options {
            upper_lower_share: 0.51,
            ..base()
        },
        Options {
            drift_alpha: 0.0,
            ..base()
        },
        Options {
            drift_margin: f64::NAN,
            ..base()
        },
    ] {
        assert!(
            solve::students(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(solve::items(&book, &options, &go).is_err(), "{options:?}");
        assert!(
            solve::item_drift(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(
            solve::assessments(&book, &options, &go).is_err(),
            "{options:?}"
        );
        assert!(
            solve::explain(&book, 0, &options, &go).is_err(),
            "{options:?}"
        );
    }
}
