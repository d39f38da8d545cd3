//! `thimble run`, `check` and `pack`, as far as they go without a guest toolchain.

use std::os::unix::fs::PermissionsExt as _;

use crate::bench::{Bench, assert_golden};

const RUN: &str = "run garbage.wasm --challenge toy";

/// The challenge `toy` and a submission that is not one.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench.write("garbage.wasm", "not a component");
    bench
}

#[test]
fn a_verdict_is_the_exit_code_and_the_table_says_why() {
    let ended = bench().thimble(RUN);
    ended.assert_code(10);
    assert!(ended.stdout.contains("verdict        rejected\n"), "{ended:#?}");
    assert!(ended.stdout.contains("(package_format, phase admit)"), "{ended:#?}");
}

#[test]
fn json_is_alone_on_stdout_and_equal_to_the_file() {
    let bench = bench();
    let ended = bench.thimble(&format!("{RUN} --json --out result.json"));
    ended.assert_code(10);
    assert_eq!(ended.json()["comparable"]["verdict"], "rejected");
    assert_eq!(ended.stdout, bench.read("result.json"));
}

#[test]
fn the_comparable_block_is_the_same_twice() {
    let bench = bench();
    let comparable = || bench.thimble(&format!("{RUN} --json")).json()["comparable"].to_string();
    assert_eq!(comparable(), comparable());
}

#[test]
fn another_seed_is_another_challenge() {
    let bench = bench();
    let digest = |options: &str| {
        bench.thimble(&format!("{RUN} --json {options}")).json()["comparable"]["challenge"]["digest"].to_string()
    };
    assert_ne!(digest("--seed 1"), digest(""));
    assert_ne!(digest("--seed 1"), digest("--seed 2"));
    assert_eq!(digest("--seed 1"), digest("--seed 1"));
}

#[test]
fn a_result_for_agentics_has_its_shape() {
    let ended = bench().thimble(&format!("{RUN} --json --result-format agentics"));
    ended.assert_code(10);
    let json = ended.json();
    assert_eq!(json["status"], "failed");
    assert_eq!(json["mode"], "validation");
    assert_eq!(json["validation_summary"]["passed"], 0);
}

#[test]
fn a_submission_over_the_limit_is_rejected_by_name() {
    let bench = bench();
    bench.write("garbage.wasm", vec![0; (20 << 20) + 1]);
    let ended = bench.thimble(&format!("{RUN} --json"));
    ended.assert_code(10);
    let failure = ended.json()["comparable"]["failure"].clone();
    assert_eq!(failure["rule"], "package_bytes");
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("20971520") && message.contains("20971521"), "{message}");
}

#[test]
fn unreadable_inputs_are_named() {
    let bench = bench();
    bench.thimble("run missing.zip --challenge toy").assert_error(3, &["submission missing.zip", "No such file"]);
    bench.thimble("run garbage.wasm --challenge nowhere").assert_error(3, &["challenge directory nowhere"]);
    bench.thimble("check missing.zip").assert_error(3, &["submission missing.zip"]);
}

#[test]
fn public_data_with_another_digest_is_refused() {
    let bench = bench();
    let named = format!("sha256:{}", "0".repeat(64));
    bench.challenge(|challenge| challenge["datasets"]["public"]["digest"] = named.clone().into());
    bench.thimble(RUN).assert_error(3, &["challenge toy", "datasets.public.digest", &named]);
}

#[test]
fn a_result_that_cannot_be_written_is_4() {
    let bench = bench();
    bench.thimble(&format!("{RUN} --out nowhere/result.json")).assert_error(4, &["cannot write nowhere/result.json"]);
}

#[test]
fn a_cache_that_others_may_write_to_is_refused() {
    let bench = bench();
    std::fs::create_dir(bench.path("cache")).unwrap();
    std::fs::set_permissions(bench.path("cache"), std::fs::Permissions::from_mode(0o777)).unwrap();
    bench.thimble(RUN).assert_error(4, &["cache directory [DIR]/cache", "mode 0777", "chmod go-w"]);
    bench.thimble(&format!("{RUN} --no-cache")).assert_code(10);
}

#[test]
fn without_any_place_for_a_cache_the_choices_are_named() {
    let bench = bench();
    let output = bench.command(RUN).env_remove("THIMBLE_CACHE").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("set THIMBLE_CACHE, or pass --cache DIR or --no-cache"));
}

#[test]
fn check_names_the_rule_and_the_remedy() {
    let bench = bench();
    let ended = bench.thimble("check garbage.wasm --challenge toy");
    ended.assert_code(10);
    assert!(ended.stdout.contains("(package_format)\n  remedy: "), "{ended:#?}");
    // The magic number and version of a core module.
    bench.write("module.wasm", b"\0asm\x01\0\0\0");
    let json = bench.thimble("check module.wasm --json").json();
    assert_eq!(json["findings"][0]["rule"], "not_a_component");
    assert!(json["findings"][0]["remedy"].as_str().unwrap().contains("wasm32-wasip2"));
}

/// A component that breaks rules of every kind, written by hand.
const BREAKS_MANY: &str = r#"(component
  (import "wasi:sockets/tcp@0.2.6" (instance))
  (import "wasi:http/types@0.2.0" (instance))
  (import "thimble:solution/data@0.2.0" (instance))
  (core module $a (memory i64 1) (func (return_call 0)))
  (core module $b (memory 1) (func (loop)) (data (i32.const 0) "weights"))
  (core instance (instantiate $a))
  (core instance (instantiate $b))
  (instance $i)
  (export "thimble:solution/teacher@0.1.0" (instance $i)))"#;

#[test]
fn check_names_every_finding_with_its_remedy() {
    let bench = bench();
    bench.challenge(|challenge| {
        challenge["limits"]["parameters"] = 10.into();
        challenge["limits"]["embedded_allowance_bytes"] = 0.into();
    });
    let mut component = wat::parse_str(BREAKS_MANY).unwrap();
    // A custom section of 1 MiB: id, length in five bytes, an empty name.
    component.extend([0, 0x81, 0x80, 0xc0, 0x80, 0]);
    component.resize(component.len() + (1 << 20) + 1, 0);
    bench.write("many.wasm", component);
    let ended = bench.thimble("check many.wasm --challenge toy");
    ended.assert_code(10);
    assert_golden("check-findings", &ended.stdout);
    let refused = bench.thimble("pack many.wasm --name many --out many.zip");
    refused.assert_error(10, &["(custom_bytes)", "(import)", "(one_code_module)", "(feature)", "(export)"]);
}

#[test]
fn a_component_past_every_size_is_checked_to_its_end() {
    let bench = bench();
    let mut component = wat::parse_str(BREAKS_MANY).unwrap();
    component.extend([0, 0x81, 0x80, 0x80, 0x02, 0]);
    component.resize(component.len() + (4 << 20), 0);
    bench.write("large.wasm", component);
    let json = bench.thimble("check large.wasm --json").json();
    let rules: Vec<_> = json["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    for rule in ["component_bytes", "custom_bytes", "import", "export"] {
        assert!(rules.contains(&rule), "{rule} is not in {rules:?}");
    }
}

#[test]
fn a_submission_is_named_or_there_is_a_project() {
    let bench = bench();
    for line in ["run", "check", "run --challenge toy"] {
        bench.thimble(line).assert_error(2, &["name a submission", "no Cargo.toml here"]);
    }
    bench.thimble("run garbage.wasm").assert_error(2, &["name the challenge: --challenge DIR"]);
    bench.thimble("run toy --challenge toy").assert_error(3, &["toy is no project: it has no Cargo.toml"]);
    bench.thimble("build").assert_error(3, &["it has no Cargo.toml"]);
}

#[test]
fn pack_refuses_what_admission_would() {
    let bench = bench();
    bench.thimble("pack garbage.wasm --name mine --out mine.zip").assert_error(10, &["garbage.wasm would be rejected"]);
    assert!(!bench.path("mine.zip").exists());
    assert_eq!(bench.thimble("pack garbage.wasm --name mine --parent digest --out mine.zip").code, 2);
}
