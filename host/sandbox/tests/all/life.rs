//! A child's life: what holds it, what is heard from it, how it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use thimble_sandbox::{Child, Layer, Policy, STDERR_BYTES, Spawn, frame};

use crate::child::{self, TOUCHED_BYTES, command, hear, start};

/// Signals by their numbers on Linux.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("the_required_layers_hold_on_this_machine", the_required_layers_hold_on_this_machine),
    ("a_layer_given_up_by_name_is_not_listed", a_layer_given_up_by_name_is_not_listed),
    ("a_layer_that_cannot_be_had_is_refused_by_name", a_layer_that_cannot_be_had_is_refused_by_name),
    ("a_process_with_threads_is_not_locked", a_process_with_threads_is_not_locked),
    ("no_environment_variable_is_left", no_environment_variable_is_left),
    ("errors_are_drained_capped_and_fit_for_a_terminal", errors_are_drained_capped_and_fit_for_a_terminal),
    ("a_killed_child_ends_at_once", a_killed_child_ends_at_once),
    ("a_dropped_child_is_killed_and_reaped", a_dropped_child_is_killed_and_reaped),
    ("a_child_dies_with_its_parent", a_child_dies_with_its_parent),
    ("an_abort_and_a_panic_are_told_by_their_status", an_abort_and_a_panic_are_told_by_their_status),
    ("peak_memory_is_at_least_what_was_touched", peak_memory_is_at_least_what_was_touched),
    ("peak_memory_of_an_ended_child_is_unmeasured", peak_memory_of_an_ended_child_is_unmeasured),
    ("memory_over_the_limit_ends_the_child", memory_over_the_limit_ends_the_child),
    ("code_is_sealed_once_and_for_all", code_is_sealed_once_and_for_all),
    ("a_passed_descriptor_is_read_in_the_box", a_passed_descriptor_is_read_in_the_box),
    ("descriptors_of_the_pipes_cannot_be_passed", descriptors_of_the_pipes_cannot_be_passed),
];

fn names(layers: impl IntoIterator<Item = Layer>) -> String {
    layers.into_iter().map(Layer::name).collect::<Vec<_>>().join(" ")
}

/// What the role `layers` says under a policy.
fn layers_under(policy: &str) -> String {
    let command = command("layers", &policy.parse().expect("sensible"), &[]);
    hear(&mut Spawn { command: &command, pass: Vec::new() }.start().expect("starts"))
}

fn the_required_layers_hold_on_this_machine() {
    assert_eq!(layers_under("required"), names(Layer::REQUIRED));
}

fn a_layer_given_up_by_name_is_not_listed() {
    for given_up in Layer::REQUIRED {
        let rest = BTreeSet::from(Layer::REQUIRED).into_iter().filter(|layer| *layer != given_up);
        assert_eq!(layers_under(&format!("-{given_up}")), names(rest));
    }
}

fn a_layer_that_cannot_be_had_is_refused_by_name() {
    // A control group without a maximum of its own is what a test has; where a machine bounds it, the layer holds.
    let said = layers_under("+cgroup");
    let refused = said.starts_with("the layer `cgroup` of the sandbox cannot be had: ");
    assert!(refused || said.ends_with("syscalls cgroup"), "{said}");
}

fn a_process_with_threads_is_not_locked() {
    let said = hear(&mut start("threads"));
    assert_eq!(said, "the sandbox cannot be locked: this process has 2 threads, and it must have one");
}

fn no_environment_variable_is_left() {
    // Started by other means than ours, so that it has some.
    let command = command("environment", &Policy::default(), &[]);
    let output = Command::new(&command[0]).args(&command[1..]).env("SECRET", "1").output().expect("starts");
    assert_eq!(output.stdout[thimble_sandbox::frame::HEADER_BYTES..], *b"0");
}

fn errors_are_drained_capped_and_fit_for_a_terminal() {
    let mut child = start("shout");
    assert_eq!(hear(&mut child), "done", "it wrote more than a pipe holds without waiting");
    let end = child.wait().expect("waits");
    assert!(end.stderr.starts_with("[31mloud [31mloud "), "{:?}", &end.stderr[..40]);
    assert!(end.stderr.len() <= STDERR_BYTES && end.stderr.len() > STDERR_BYTES / 2, "{} bytes", end.stderr.len());
    assert!(!end.stderr.contains(['\u{1b}', '\u{202e}']));
}

fn a_killed_child_ends_at_once() {
    let child = start("spin");
    assert!(!child.ends_within(Duration::from_millis(50)).expect("asks"), "it would go on");
    let from = Instant::now();
    std::thread::scope(|scope| scope.spawn(|| child.kill()).join().expect("no panic").expect("kills"));
    assert!(child.ends_within(Duration::from_secs(5)).expect("asks"));
    assert!(from.elapsed() < Duration::from_secs(1), "{:?}", from.elapsed());
    child.kill().expect("a second time is no error");
    assert_eq!(child.wait().expect("waits").status.signal(), Some(SIGKILL));
}

/// Whether a process is there, be it a zombie.
fn is_there(id: u32) -> bool {
    std::fs::exists(format!("/proc/{id}")).expect("asks")
}

fn a_dropped_child_is_killed_and_reaped() {
    let mut child = start("sleep");
    assert_eq!(hear(&mut child), "ready");
    let id = child.id();
    assert!(is_there(id));
    drop(child);
    assert!(!is_there(id));
}

fn a_child_dies_with_its_parent() {
    // A shell is the parent: it starts the child, tells its number when told to, and then kills itself. The child's pipes stay
    // open here, so that it is the death of the parent that ends it.
    let words: Vec<_> = command("spin", &Policy::default(), &[])
        .into_iter()
        .map(|word| format!("'{}'", word.into_string().expect("plain")))
        .collect();
    let script = format!("{} </dev/null & read go; echo $!; read go; kill -9 $$", words.join(" "));
    let mut shell =
        Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut stdin = shell.stdin.take().expect("piped");
    let mut stdout = BufReader::new(shell.stdout.take().expect("piped"));
    assert_eq!(frame::read(&mut stdout, 100).expect("whole"), Some(b"ready".to_vec()), "it is locked in");
    stdin.write_all(b"go\n").expect("the shell reads");
    let mut line = String::new();
    stdout.read_line(&mut line).expect("reads");
    let id: u32 = line.trim().parse().expect("a number");
    assert!(runs(id), "while its parent does");
    stdin.write_all(b"go\n").expect("the shell reads");
    assert_eq!(shell.wait().expect("waits").signal(), Some(SIGKILL));
    let deadline = Instant::now() + Duration::from_secs(5);
    while runs(id) {
        assert!(Instant::now() < deadline, "it lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and no zombie: nobody here reaps a grandchild.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn an_abort_and_a_panic_are_told_by_their_status() {
    assert_eq!(start("abort").wait().expect("waits").status.signal(), Some(SIGABRT));
    let end = start("panic").wait().expect("waits");
    assert_eq!(end.status.code(), Some(101));
    assert!(end.stderr.contains("on purpose"), "{}", end.stderr);
}

/// A child that has touched its memory, given it back, and waits.
fn after_touching() -> Child {
    let mut child = start("touch");
    assert_eq!(hear(&mut child), "ready");
    child
}

fn peak_memory_is_at_least_what_was_touched() {
    let peak = after_touching().peak_memory().expect("measured");
    let touched = TOUCHED_BYTES as u64;
    assert!((touched..touched + (32 << 20)).contains(&peak), "{peak} bytes");
}

fn peak_memory_of_an_ended_child_is_unmeasured() {
    let child = after_touching();
    child.kill().expect("kills");
    assert!(child.ends_within(Duration::from_secs(5)).expect("asks"));
    assert_eq!(child.peak_memory(), None, "not 0");
}

fn memory_over_the_limit_ends_the_child() {
    let end = start("greedy").wait().expect("waits");
    assert_eq!(end.status.signal(), Some(SIGABRT), "{}", end.stderr);
    assert!(
        end.stderr.contains(&format!("memory allocation of {} bytes failed", child::LIMITS.data)),
        "{}",
        end.stderr
    );
}

fn code_is_sealed_once_and_for_all() {
    let said = hear(&mut start("seal"));
    assert!(said.starts_with("the layer `syscalls` of the sandbox cannot be had: "), "{said}");
    assert!(said.contains("Operation not permitted"), "{said}");
}

fn a_passed_descriptor_is_read_in_the_box() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("data");
    std::fs::write(&path, "0123456789").expect("writes");
    let command = command("file", &Policy::default(), &[child::PASSED]);
    let file = std::fs::File::open(path).expect("opens");
    let mut child = Spawn { command: &command, pass: vec![(file.into(), child::PASSED)] }.start().expect("starts");
    assert_eq!(hear(&mut child), "Ok(10) Ok(()) 2345 false");
}

fn descriptors_of_the_pipes_cannot_be_passed() {
    let null = || std::fs::File::open("/dev/null").expect("opens").into();
    let command = command("layers", &Policy::default(), &[]);
    for pass in [vec![(null(), 2)], vec![(null(), 5), (null(), 5)]] {
        let error = Spawn { command: &command, pass }.start().expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}
