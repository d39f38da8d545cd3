//! The sandbox examined by the command itself.

use crate::bench::Bench;

/// The required layers, in the order in which they are shown.
const REQUIRED: [&str; 8] =
    ["descriptors", "environment", "limits", "privileges", "filesystem", "network", "scope", "syscalls"];

#[test]
fn the_doctor_finds_every_attempt_refused_and_says_by_what() {
    let ended = Bench::new().thimble("doctor --json");
    let json = ended.json();
    assert_eq!(ended.stderr, "");
    let layers = json["layers"].as_array().unwrap();
    let required: Vec<_> = layers.iter().filter(|layer| layer["required"] == true).collect();
    assert_eq!(required.iter().map(|layer| layer["layer"].as_str().unwrap()).collect::<Vec<_>>(), REQUIRED);
    let lacking: Vec<_> = required.iter().filter(|layer| layer["holds"] == false).collect();
    let probes = json["probes"].as_array().unwrap();
    assert!(probes.len() >= 60, "{}", probes.len());
    assert!(probes.iter().all(|probe| probe["breaches"].as_array().unwrap().is_empty()), "{json:#}");
    if !lacking.is_empty() {
        // A kernel without a layer: the command must say so, and why.
        assert_eq!(ended.code, 8);
        assert!(lacking.iter().all(|layer| layer["objection"].is_string()), "{json:#}");
        return;
    }
    assert_eq!(json["holds"], true);
    assert_eq!(ended.code, if json["fused_multiply_add"] == true { 0 } else { 8 });
    for probe in probes {
        assert!(probe["outcome"].as_str().unwrap().starts_with('E'), "refused with an error: {probe}");
        assert!(!probe["stopped_by"].as_array().unwrap().is_empty(), "{probe}");
    }
}

#[test]
fn the_doctor_ends_with_a_verdict_in_words() {
    let ended = Bench::new().thimble("doctor");
    let verdict = ended.stdout.lines().last().unwrap();
    let holds = ended.stdout.lines().filter(|line| line.ends_with("  holds")).count();
    assert_eq!(verdict == "the sandbox holds", holds >= REQUIRED.len(), "{}", ended.stdout);
    for layer in REQUIRED {
        assert!(ended.stdout.contains(&format!("\n  {layer} ")), "{layer}");
    }
}

#[test]
fn a_sandbox_child_started_by_hand_says_what_it_misses() {
    let ended = Bench::new().thimble("sandbox-child probe -network");
    assert_eq!(ended.code, 0, "the parent reads the answer, not the status");
    assert!(ended.stdout.ends_with("the probes take 6 arguments, not 1"), "{}", ended.stdout);
}
