//! What holds for any response table and any choice.

use pg_assess_test_support::solve::Asked;
use std::collections::HashMap;

use pg_assess_core::gradebook::Gradebook;
use pg_assess_core::ledger::Attempts;
use pg_assess_core::options::Options;
use pg_assess_core::time::DAY;
use pg_assess_test_support::{
    OwnId, OwnRow, Solved, assert_past_sound, builder, cases, close, go, gradebook, merge, row,
};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::attempts::of_one_attempt;
use super::tables::{id, options, reading, rows, school_of, sittings, table};
use super::verdicts::{Picked, Verdict, excluded, latest, picked, verdicts};

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
        pg_assess_test_support::check(&bytes).expect("what was written can be read");
        prop_assert_eq!(&Gradebook::from_text(&Gradebook::to_text(&bytes), &go).expect("text"), &bytes);
        prop_assert_eq!(&merge([&bytes]), &bytes);
    }

    #[test]
    fn the_attempt_that_counts_is_the_one_a_slow_filter_finds(
        rows in prop_oneof![rows(70), sittings()],
        attempts in prop::sample::select(Attempts::ALL.to_vec()),
        reading in reading(), day in prop_oneof![Just(400i64), 0..400i64],
    ) {
        let as_of = day * DAY;
        let bytes = gradebook(&rows);
        let book = Gradebook::open(&bytes).expect("a gradebook");
        let asked = Asked::from(Options::plain());
        let options = Asked { attempts, reading, as_of: Some(as_of), ..asked };
        let verdicts = of_one_attempt(&rows, verdicts(&rows, reading, as_of), reading, attempts);
        let (expected, _) = picked(&rows, &verdicts, attempts);
        let open_items: Vec<String> = expected
            .iter()
            .filter(|(_, answer)| answer.open)
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
                let (_, &Picked { at, score, .. }) = expected
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
    fn every_row_is_counted_once(
        rows in prop_oneof![table(), sittings()], options in options(), day in 0..400i64,
    ) {
        let options = Asked { as_of: Some(day * DAY), ..options };
        let coverage: HashMap<_, _> =
            Solved::of(&gradebook(&rows), &options).coverage.into_iter().collect();
        prop_assert_eq!(coverage.values().sum::<u64>(), rows.len() as u64);
        let (reading, attempts) = (options.reading, options.attempts);
        let verdicts = verdicts(&rows, reading, day * DAY);
        let verdicts = of_one_attempt(&rows, verdicts, reading, attempts);
        let (used, conflicting) = picked(&rows, &verdicts, options.attempts);
        for (&reason, &count) in &coverage {
            let expected = match reason {
                "used" => used.len() as u64,
                "conflicting" => conflicting,
                // What is left, as all rows are in one of the counts.
                "duplicate" => count,
                _ => verdicts.iter().filter(|own| **own == Verdict::Left(reason)).count() as u64,
            };
            prop_assert_eq!(count, expected, "{}", reason);
        }
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
            // What no reading can use is counted whenever it came.
            let Some(taken_at) = row.taken_at.filter(|_| excluded(&row).is_none()) else {
                continue;
            };
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
        let end = latest(&rows, options.reading);
        prop_assume!(end.is_some());
        // Without a date, rows without a score count as seen whenever they are dated.
        let rows: Vec<OwnRow> =
            rows.into_iter().filter(|row| excluded(row).is_some() || row.taken_at <= end).collect();
        let bytes = gradebook(&rows);
        let by_default = Solved::of(&bytes, &options);
        let options = Asked { as_of: end, ..options };
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
        let end = latest(&rows, options.reading).unwrap_or(0);
        let rows: Vec<OwnRow> =
            rows.into_iter().filter(|row| row.taken_at.is_none_or(|at| at <= end)).collect();
        let bytes = gradebook(&rows);
        let solve = |as_of| Solved::of(&bytes, &Asked { as_of: Some(as_of), ..options.clone() });
        let (now, then) = (solve(end), solve(end + days * DAY));
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
        // What no reading can use is of no assessment.
        let rows: Vec<OwnRow> = rows.into_iter().filter(|row| excluded(row).is_none()).collect();
        let as_of = Some(latest(&rows, options.reading).unwrap_or(0));
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

    /// By hardly more than nothing: the effects of questions are drawn in, by a share that falls as
    /// answers get more.
    #[test]
    fn an_easier_test_helps_nobody(seed in any::<u64>(), constant in 0.1..0.5f64, pick in any::<u8>()) {
        // Scores between 0 and a half leave room for the constant.
        let rows: Vec<OwnRow> = school_of(250..350, seed)
            .into_iter()
            .map(|row| OwnRow { score: row.score.map(|score| score / 2.0), ..row })
            .collect();
        let assessments = rows.iter().filter_map(|row| row.assessment.clone()).collect::<Vec<_>>();
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
        for (a, b) in before.students.iter().zip(&after.students) {
            let (x, y) = (a.level.expect("a level"), b.level.expect("a level"));
            close(x.level - x.prior, y.level - y.prior, 0.05 * constant, "level - prior");
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
