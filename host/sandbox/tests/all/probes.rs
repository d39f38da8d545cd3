//! Every probe is stopped, by every layer that is to stop it, and by nothing else.

use std::collections::BTreeSet;
use std::ffi::OsString;

use thimble_sandbox::probe::{Attack, Examination, Outcome, Probe, ProbeError, Report, Selection, boxes};
use thimble_sandbox::{Job, Layer, Policy};

use crate::child::PROBES;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("every_probe_is_refused_in_the_box", every_probe_is_refused_in_the_box),
    ("every_layer_stops_its_probes_alone", every_layer_stops_its_probes_alone),
    ("every_layer_is_proven_by_a_probe", every_layer_is_proven_by_a_probe),
    ("without_layers_the_probes_get_through", without_layers_the_probes_get_through),
    ("an_examination_finds_the_box_whole", an_examination_finds_the_box_whole),
    ("a_box_that_cannot_be_locked_is_not_attacked", a_box_that_cannot_be_locked_is_not_attacked),
    ("a_child_that_does_not_answer_is_an_error", a_child_that_does_not_answer_is_an_error),
];

fn attack(command: &[OsString], policy: Policy, job: Job, selection: Selection) -> Result<Report, ProbeError> {
    let directory = tempfile::tempdir().expect("a directory");
    Attack { command, directory: directory.path(), policy, job, selection }.make()
}

/// This program as its own attacker.
fn attacker() -> Vec<OsString> {
    vec![std::env::current_exe().expect("this program has a path").into_os_string(), PROBES.into()]
}

fn every_probe_is_refused_in_the_box() {
    for job in [Job::Run, Job::Compile] {
        let report = attack(&attacker(), Policy::default(), job, Selection::Guarded).expect("a report");
        assert!(report.findings.iter().all(|(_, outcome)| matches!(outcome, Outcome::Refused(_))), "{report:#?}");
        assert_eq!(report.breaches().map(|(probe, outcome)| (probe.name, outcome)).collect::<Vec<_>>(), [], "{job:?}");
        assert_eq!(report.findings.len(), Probe::all().len());
    }
}

fn every_layer_stops_its_probes_alone() {
    let mut proven = BTreeSet::new();
    for policy in boxes() {
        let report = attack(&attacker(), policy, Job::Run, Selection::Guarded).expect("a report");
        assert_eq!(
            report.breaches().map(|(probe, outcome)| (probe.name, outcome)).collect::<Vec<_>>(),
            [],
            "{:?}",
            report.layers
        );
        for (probe, outcome) in &report.findings {
            let alone = |layers: &[Layer]| BTreeSet::from_iter(layers.iter().copied()) == report.layers;
            proven.extend(
                probe
                    .held_by(&report.layers, *outcome)
                    .iter()
                    .filter(|guard| alone(guard.layers))
                    .map(|guard| (probe.name, guard.layers)),
            );
        }
    }
    let promised = Probe::all().iter().flat_map(|probe| probe.guards.iter().map(|guard| (probe.name, guard.layers)));
    assert_eq!(proven, promised.collect());
}

fn every_layer_is_proven_by_a_probe() {
    let guards = Probe::all().iter().flat_map(|probe| probe.guards);
    let proven: BTreeSet<_> = guards.flat_map(|guard| guard.layers).copied().collect();
    assert_eq!(proven, BTreeSet::from(Layer::REQUIRED));
}

/// What a kernel may be built or set without, and a right that containers take from root.
const MAY_BE_LACKING: [&str; 9] = [
    "socket-inet6",
    "socket-vsock",
    "io-uring",
    "page-faults",
    "perf-event",
    "bpf",
    "named-queue",
    "new-namespace",
    "raise-limit",
];

/// The control: with no layer on, the same calls work, so that it is the layers that stop them.
fn without_layers_the_probes_get_through() {
    if !is_root() {
        eprintln!("not root: what a plain user may do differs from machine to machine, so nothing is asserted");
        return;
    }
    let report = attack(&attacker(), Policy::of_required(|_| false), Job::Run, Selection::Every).expect("a report");
    let refused = report.findings.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Refused(_)));
    let refused: Vec<_> = refused.map(|(probe, outcome)| (probe.name, *outcome)).collect();
    let unexplained: Vec<_> = refused.into_iter().filter(|(name, _)| !MAY_BE_LACKING.contains(name)).collect();
    assert_eq!(unexplained, []);
}

/// Whether this process may do what root may.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn an_examination_finds_the_box_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let examination = Examination::of(&attacker(), directory.path()).expect("an examination");
    assert!(examination.holds(), "{examination:#?}");
    for finding in &examination.probes {
        let promised: BTreeSet<Vec<Layer>> = finding.probe.guards.iter().map(|guard| guard.layers.to_vec()).collect();
        let found = finding.stopped_by.iter().map(|(layers, _)| layers.clone()).collect();
        assert_eq!(promised, found, "{}", finding.probe.name);
    }
}

fn a_box_that_cannot_be_locked_is_not_attacked() {
    let command = [attacker(), vec!["one too many".into()]].concat();
    match attack(&command, Policy::default(), Job::Run, Selection::Guarded) {
        Err(ProbeError::NotLocked(reason)) => assert_eq!(reason, "the probes take 6 arguments, not 7"),
        other => panic!("{other:?}"),
    }
}

fn a_child_that_does_not_answer_is_an_error() {
    for (program, what) in
        [("true", "fell silent at the lock and ended with exit status: 0"), ("false", "exit status: 1")]
    {
        let error = attack(&[program.into()], Policy::default(), Job::Run, Selection::Guarded).expect_err("no report");
        assert!(matches!(error, ProbeError::Child { .. }) && error.to_string().contains(what), "{error}");
    }
}
