//! A profile's figures are those of the meter, split by hand.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::{Mode, Phase};
use thimble_challenge::{Challenge, Flops, Fuel, Verdict};
use thimble_runtime::profile::{Category, Kind, Place, Profile, Split, Subject};
use thimble_runtime::{PublicData, TARIFF};
use thimble_tests::evaluation::{self, DATASET, evaluate, open_dataset, open_directory, product};
use thimble_tests::fixture;
use thimble_tests::template::{Solution, load, predict, solve};

/// Every test row.
const PREDICTION: Subject = Subject::Prediction { rows: usize::MAX };
/// Batches of 16 in the 40 rows of the fixture.
const BATCHES: u64 = 3;

fn profile_in(guest: &Solution, challenge: Challenge, subject: Subject) -> Profile {
    let (challenge, data) = DATASET.load_public(challenge);
    evaluation::profile(&data, &guest.component(), &challenge, subject)
        .unwrap_or_else(|result| panic!("{:?}", result.comparable.failure))
}

fn profile(guest: &Solution, subject: Subject) -> Profile {
    profile_in(guest, fixture::challenge(), subject)
}

/// `predict` that runs `text` before it answers.
fn runs(locals: &str, text: &str) -> Solution {
    predict(&format!("{locals} {text} (call $return_zeros (call $rows (local.get $inputs)))"))
}

const NOTHING: &str = "(func $nothing)";

/// What `text` adds to each kind, for each batch.
fn added(locals: &str, text: &str) -> Vec<(Kind, u64)> {
    static WITHOUT: LazyLock<Profile> = LazyLock::new(|| profile(&runs("", "").with_fields(NOTHING), PREDICTION));
    let without = &*WITHOUT;
    let with = profile(&runs(locals, text).with_fields(NOTHING), PREDICTION);
    let difference = |kind| with.split[kind] - without.split[kind];
    assert!(Kind::ALL.into_iter().all(|kind| difference(kind) % BATCHES == 0));
    let kinds = Kind::ALL.into_iter().map(|kind| (kind, difference(kind) / BATCHES));
    kinds.filter(|(_, fuel)| *fuel > 0).collect()
}

fn place<'a>(profile: &'a Profile, name: &str) -> &'a Place {
    let names = || profile.places.iter().map(|place| &place.name).collect::<Vec<_>>();
    profile.places.iter().find(|place| place.name == name).unwrap_or_else(|| panic!("{name} is not in {:?}", names()))
}

/// The worked example of `docs/metering.md`, in its parts: 48 fuel a turn, 100 turns.
#[test]
fn the_worked_example_is_split_as_by_hand() {
    let text = "(local.set $i (i32.const 2048))
        (loop $next
          (local.set $f (f32.add (local.get $f)
            (f32.mul (f32.load (local.get $i)) (f32.load offset=400 (local.get $i)))))
          (local.set $i (i32.add (local.get $i) (i32.const 4)))
          (br_if $next (i32.lt_u (local.get $i) (i32.const 2448))))";
    let expected = [
        (Kind::ScalarFloat, 100 * (16 + 16)),
        (Kind::ScalarInteger, 100 * (2 + 2)),
        (Kind::ScalarMemory, 100 * (4 + 4)),
        (Kind::Branch, 1 + 100 * (1 + 1 + 2)),
    ];
    assert_eq!(added("(local $i i32) (local $f f32)", text), expected);
}

#[test]
fn every_kind_is_priced_as_by_hand() {
    let locals = "(local $v v128) (local $f f32) (local $i i32)";
    for (text, expected) in [
        (
            "(local.set $v (f32x4.relaxed_madd (local.get $v) (local.get $v) (local.get $v)))",
            vec![(Kind::VectorFloat, 128)],
        ),
        ("(local.set $v (f32x4.splat (local.get $f)))", vec![(Kind::VectorInteger, 4)]),
        ("(local.set $f (f32.convert_i32_s (local.get $i)))", vec![(Kind::Conversion, 16)]),
        ("(local.set $v (v128.load (i32.const 16)))", vec![(Kind::VectorMemory, 8), (Kind::Branch, 1)]),
        (
            "(memory.fill (i32.const 512) (i32.const 0) (i32.const 100))",
            vec![(Kind::BulkMemory, 16 + 100), (Kind::Branch, 3)],
        ),
        // The call 8, and the entry 1 that the engine adds under every table.
        ("(call $nothing)", vec![(Kind::Call, 8 + 1)]),
        // Through wit-component's shim: a constant 1, an indirect call 8, an entry 1; 32 bytes are 2.
        (
            "(call $log (i32.const 256) (i32.const 32))",
            vec![(Kind::Branch, 2 + 1), (Kind::Call, 8 + 8 + 1), (Kind::HostCall, 256), (Kind::Transfer, 2)],
        ),
    ] {
        assert_eq!(added(locals, text), expected, "{text}");
    }
}

#[test]
fn the_classical_count_is_of_lanes() {
    let text = "(local.set $v (f32x4.relaxed_madd (local.get $v) (local.get $v) (local.get $v)))
        (local.set $v (f32x4.max (local.get $v) (local.get $v)))
        (local.set $v (f32x4.lt (local.get $v) (local.get $v)))
        (local.set $f (f32.sqrt (f32.sub (local.get $f) (local.get $f))))";
    let profile = profile(&runs("(local $v v128) (local $f f32)", text), PREDICTION);
    // Eight, four, none, two.
    assert_eq!(profile.classical, BATCHES * (8 + 4 + 2));
    let predict = place(&profile, "thimble:solution/predictor@0.1.0#[method]model.predict");
    assert_eq!(predict.classical, profile.classical);
}

/// Leaves by a branch, by `return` in two depths, and by its end; calls itself, and through a table.
const WAYS: &str = "(table 1 1 funcref) (elem (i32.const 0) $leaf) (type $leaf (func (param i32) (result i32)))
    (func $leaf (type $leaf) (f32.store (i32.const 600) (f32.sqrt (f32.const 2))) (local.get 0))
    (func $ways (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 7))))
      (if (i32.eq (local.get $n) (i32.const 1)) (then (br 1 (call $ways (i32.const 0)))))
      (if (i32.eq (local.get $n) (i32.const 2)) (then
        (block (loop (return (call_indirect (type $leaf) (call $ways (i32.const 1)) (i32.const 0)))))))
      (call $ways (i32.const 2)))";

#[test]
fn functions_have_their_own_fuel_whatever_way_they_leave() {
    let profile = profile(&runs("", "(drop (call $ways (i32.const 3)))").with_fields(WAYS), PREDICTION);
    let ways = place(&profile, "ways");
    // Per call: the parameter's tests; calls are 8 and 1 for the entry, a constant 1 for the argument.
    let zero = 2 + 2 + 1;
    let one = 2 + 2 + (1 + 2 + 2) + (1 + 8 + 1) + 2;
    let two = 2 + 2 + 2 * (1 + 2 + 2) + (1 + 8 + 1) + (1 + 8 + 1);
    let three = 2 + 2 + 2 * (1 + 2 + 2) + (1 + 8 + 1);
    assert_eq!(ways.own.total(), BATCHES * (zero + one + two + three));
    assert_eq!(ways.calls, BATCHES * 4);
    let leaf = place(&profile, "leaf");
    assert_eq!((leaf.calls, leaf.own.total()), (BATCHES, BATCHES * (1 + 1 + 16 + 4)));
    assert_eq!(leaf.own[Kind::ScalarFloat], BATCHES * 16);
    assert_eq!(leaf.classical, BATCHES);
    // A recursion counts once.
    assert_eq!(ways.total, Fuel(ways.own.total() + leaf.own.total()));
}

/// The meter's own figures, and that the parts are the whole.
fn adds_up(profile: &Profile, metered: Option<Fuel>) {
    assert_eq!(Some(profile.metered), metered);
    assert_eq!(profile.split.total(), profile.metered.0);
    assert_eq!(Category::ALL.into_iter().map(|category| profile.split.of(category)).sum::<u64>(), profile.metered.0);
    assert_eq!(profile.places.iter().map(|place| place.own.total()).sum::<u64>(), profile.metered.0);
    assert_eq!(profile.stacks.iter().map(|stack| stack.own.0).sum::<u64>(), profile.metered.0);
    let mut sum = Split::default();
    profile.places.iter().for_each(|place| sum += place.own);
    assert_eq!(sum, profile.split);
}

/// Work wherever the host calls the guest, much of it where the guest may not call the host.
#[test]
fn a_profile_adds_up_to_the_meter_wherever_the_work_is() {
    let count = "(local $n i32) (loop $l (drop (call $work (local.get $n)))
        (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 9))))";
    let guest = Solution {
        post_solve: count.into(),
        load: format!("{count} (call $return_model (local.get $args))"),
        post_predict: format!("{count} (global.set $heap (global.get $mark))"),
        realloc: format!("{count} (call $alloc (local.get $align) (local.get $size))"),
        ..runs("", "(call $log (i32.const 256) (i32.const 20)) (drop (call $ways (i32.const 3)))")
    }
    .with_fields(WAYS)
    .with_fields(
        "(func $work (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
         (func $begin (drop (call $work (i32.const 1))) (drop (memory.grow (i32.const 1)))) (start $begin)",
    );
    let compute = evaluate(&guest.component(), fixture::challenge(), Mode::Validation).result.comparable.compute;
    let predicted = profile(&guest, PREDICTION);
    adds_up(&predicted, compute.prediction_fuel);
    assert_eq!(predicted.rows, Some(fixture::ROWS[2] as u64));
    adds_up(&profile(&guest, Subject::Training), compute.training_fuel);
    // The start function reports; what runs in silence is in the figures of the step.
    let begin = place(&predicted, "begin");
    assert_eq!((begin.calls, begin.own[Kind::BulkMemory]), (1, 255 + 255));
    assert!(place(&predicted, "(predict)").own[Kind::ScalarInteger] > BATCHES * 9 * 16);
}

#[test]
fn fewer_rows_cost_less_and_no_more_are_there_than_all() {
    let rows = |rows| profile(&Solution::default(), Subject::Prediction { rows });
    let (some, all) = (rows(16), rows(40));
    assert_eq!((some.rows, all.rows, rows(1000).rows), (Some(16), Some(40), Some(40)));
    assert!(some.metered < all.metered);
    assert_eq!(place(&some, "thimble:solution/predictor@0.1.0#[method]model.predict").calls, 1);
}

/// As deep as a guest gets in validation.
#[test]
fn probes_have_room_on_the_stack() {
    let deep = "(func $deep (param i32) (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))))";
    let guest = runs("", "(call $deep (i32.const 6000))").with_fields(deep);
    let profile = profile(&guest, PREDICTION);
    assert_eq!(place(&profile, "deep").calls, BATCHES * 6001);
    adds_up(&profile, Some(profile.metered));
}

/// Under other prices, more or less fuel is left; the replay must not see it.
#[test]
fn a_learner_that_asks_for_its_fuel_goes_the_same_way_in_every_replay() {
    let body = "(local $n i32)
        (loop $l
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $l (i64.gt_u (call $fuel_left) (i64.const 60000000))))
        (if (i64.ge_s (i64.and (call $fuel_left) (i64.const 64)) (i64.const 64)) (then (call $odd)) (else (call $even)))
        (call $return_f32 (local.get $n))";
    let guest = solve(body).with_fields("(func $odd) (func $even)");
    let compute = evaluate(&guest.component(), fixture::challenge(), Mode::Validation).result.comparable.compute;
    let profile = profile(&guest, Subject::Training);
    adds_up(&profile, compute.training_fuel);
    assert!(profile.split[Kind::HostCall] > 1000 * TARIFF.host.call);
}

#[test]
fn a_guest_that_does_not_get_through_ends_with_its_verdict() {
    let ends = |guest: &Solution, change: fn(&mut Challenge), subject| {
        let mut challenge = fixture::challenge();
        change(&mut challenge);
        let (challenge, data) = DATASET.load_public(challenge);
        let result =
            evaluation::profile(&data, &guest.component(), &challenge, subject).map(drop).expect_err("a verdict");
        (result.comparable.verdict, result.comparable.failure.map(|failure| failure.phase))
    };
    let same = |_: &mut Challenge| ();
    assert_eq!(ends(&solve("(unreachable)"), same, Subject::Training), (Verdict::Trap, Some(Phase::Learn)));
    assert_eq!(ends(&predict("(unreachable)"), same, PREDICTION), (Verdict::Trap, Some(Phase::Predict)));
    assert_eq!(
        ends(&load("(loop $l (br $l)) (unreachable)"), same, PREDICTION),
        (Verdict::OutOfFuel, Some(Phase::Predict))
    );
    let tight = |challenge: &mut Challenge| challenge.limits.prediction_flops_per_sample = Flops(1);
    assert_eq!(ends(&Solution::default(), tight, PREDICTION), (Verdict::OutOfFuel, Some(Phase::Predict)));
    let refused = Solution::default().with_fields("(func $f (return_call $f))");
    assert_eq!(ends(&refused, same, PREDICTION), (Verdict::Rejected, Some(Phase::Admit)));
}

/// A guest that Rust compiled, on the statement's data.
#[test]
fn the_profile_of_an_example_is_what_it_is_scored_with() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/imagenet-pareto-500k");
    let challenge = LoadedChallenge::open(&open_directory(Path::new(path))).expect("the example challenge is valid");
    let data = Arc::new(open_dataset(&product("datasets/imagenet-pareto-canonical")));
    let public = PublicData::new(&challenge, data).expect("the canonical data fits");
    let package = fs::read(product("examples/centroid.zip")).expect("the package is readable");
    let scored = evaluation::evaluate_bound(&public.clone().into(), &package, &challenge).result.comparable.compute;
    let profile = |subject| {
        evaluation::profile(&public, &package, &challenge, subject)
            .unwrap_or_else(|result| panic!("{:?}", result.comparable.failure))
    };
    let prediction = profile(PREDICTION);
    adds_up(&prediction, scored.prediction_fuel);
    // 2 × 384 × 128 for each of 1,024 rows, and nothing else is arithmetic.
    assert_eq!(prediction.classical, 1024 * 2 * 384 * 128);
    adds_up(&profile(Subject::Training), scored.training_fuel);
}
