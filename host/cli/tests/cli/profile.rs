//! `thimble profile` of hand-written guests.

use thimble_tests::template::{Solution, predict};

use crate::bench::{Bench, assert_golden};

const PROFILE: &str = "profile guest.wasm --challenge toy";

/// A guest whose `predict` calls a loop of scalar float arithmetic, and whose names a terminal must not see.
fn guest() -> Solution {
    predict("(call $sum (i32.const 1000)) (call $return_zeros (call $rows (local.get $inputs)))").with_fields(
        "(func $sum (@name \"sum\\1b[31m of <squares>; \\22by hand\\22\") (param $n i32) (local $f f32)
           (loop $l
             (local.set $f (f32.add (local.get $f) (f32.mul (f32.load (i32.const 512)) (f32.load (i32.const 512)))))
             (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))",
    )
}

fn bench(guest: &Solution) -> Bench {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench.write("guest.wasm", guest.component());
    bench
}

#[test]
fn a_profile_as_a_table_and_as_files() {
    let bench = bench(&guest());
    let ended = bench.thimble(&format!("{PROFILE} --out somewhere/new"));
    ended.assert_code(0);
    assert_golden("profile", &ended.stdout);
    assert_golden("profile-folded", &bench.read("somewhere/new/stacks.folded"));
    assert_golden("profile-svg", &bench.read("somewhere/new/flamegraph.svg"));
    let json = bench.json("somewhere/new/profile.json");
    let folded = bench.read("somewhere/new/stacks.folded");
    let stacks = folded.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    assert_eq!(json["fuel"], stacks.sum::<u64>());
}

#[test]
fn json_is_alone_on_stdout_and_adds_up() {
    let ended = bench(&guest()).thimble(&format!("{PROFILE} --json --rows 2"));
    ended.assert_code(0);
    let json = ended.json();
    assert_eq!(json["rows"], 2);
    let split = json["split"].as_object().unwrap().values().flat_map(|kinds| kinds.as_object().unwrap().values());
    assert_eq!(json["fuel"], split.map(|fuel| fuel.as_u64().unwrap()).sum::<u64>());
    let functions = json["functions"].as_array().unwrap().iter();
    assert_eq!(json["fuel"], functions.map(|function| function["own_fuel"].as_u64().unwrap()).sum::<u64>());
}

#[test]
fn training_is_profiled_when_asked() {
    let ended = bench(&guest()).thimble(&format!("{PROFILE} --phase learn"));
    ended.assert_code(0);
    assert!(ended.stdout.contains("profile        training\n"), "{ended:#?}");
    assert!(ended.stdout.contains("(solve)"), "{ended:#?}");
}

#[test]
fn a_submission_that_does_not_get_through_has_a_verdict() {
    let trapping = bench(&predict("(unreachable)")).thimble(PROFILE);
    trapping.assert_code(16);
    assert!(trapping.stdout.contains("verdict        trap\n"), "{trapping:#?}");
    let bench = bench(&guest());
    bench.write("garbage.wasm", "not a component");
    let ended = bench.thimble("profile garbage.wasm --challenge toy --json");
    ended.assert_code(10);
    assert_eq!(ended.json()["comparable"]["verdict"], "rejected");
}

#[test]
fn there_is_no_profile_of_official_data() {
    let bench = bench(&guest());
    for options in ["--mode official", "--official toy/public"] {
        assert_eq!(bench.thimble(&format!("{PROFILE} {options}")).code, 2);
    }
    assert_eq!(bench.thimble(&format!("{PROFILE} --rows 0")).code, 2);
}

#[test]
fn files_that_cannot_be_written_are_4() {
    let bench = bench(&guest());
    bench.write("taken", "");
    bench.thimble(&format!("{PROFILE} --out taken")).assert_error(4, &["cannot create taken"]);
}
