//! What the locked child does, by the role that is its second argument.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use thimble_sandbox::{Child, Job, Layer, Limits, Policy, Spawn, frame, lock, seal_code, take_descriptor};

/// The first argument of a child.
const CHILD: &str = "locked-child";
/// The first argument of a child that attacks.
pub(crate) const PROBES: &str = "probing-child";
/// The number of a descriptor that is passed and kept.
pub(crate) const PASSED: i32 = 5;
const MESSAGE_BYTES: u64 = 1 << 20;

pub(crate) const LIMITS: Limits = Limits { address_space: 1 << 30, data: 512 << 20, cpu_seconds: 10 };
/// Memory that the role `touch` writes to.
pub(crate) const TOUCHED_BYTES: usize = 64 << 20;

/// The command of a child with a role, under a policy, that keeps some descriptors.
pub(crate) fn command(role: &str, policy: &Policy, kept: &[i32]) -> Vec<OsString> {
    let program = std::env::current_exe().expect("this program has a path").into_os_string();
    let kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
    [program, CHILD.into(), role.into(), policy.to_string().into(), kept.join(",").into()].into()
}

/// Starts a child under the required layers.
pub(crate) fn start(role: &str) -> Child {
    let command = command(role, &Policy::default(), &[]);
    Spawn { command: &command, pass: Vec::new() }.start().expect("starts")
}

/// The child's next message.
pub(crate) fn hear(child: &mut Child) -> String {
    let mut stdout = child.take_stdout().expect("not taken");
    let message = frame::read(&mut stdout, MESSAGE_BYTES).expect("whole").unwrap_or_default();
    String::from_utf8(message).expect("text")
}

/// `None` in the parent.
pub(crate) fn play_role() -> Option<ExitCode> {
    let arguments: Vec<_> = std::env::args().collect();
    if arguments.get(1).map(String::as_str) == Some(PROBES) {
        return Some(thimble_sandbox::probe::child(&arguments[2..]));
    }
    let [_, child, role, policy, kept] = arguments.as_slice() else { return None };
    if child != CHILD {
        return None;
    }
    let policy: Policy = policy.parse().expect("from the parent");
    let kept: Vec<i32> = kept.split(',').filter_map(|number| number.parse().ok()).collect();
    if role == "threads" {
        std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_secs(60)));
    }
    let job = if role == "compile" { Job::Compile } else { Job::Run };
    match lock(&policy, &LIMITS, &kept, job) {
        Ok(layers) => play(role, &layers),
        Err(error) => say(&error.to_string()),
    }
    Some(ExitCode::SUCCESS)
}

fn say(text: &str) {
    frame::write(std::io::stdout(), text.as_bytes(), MESSAGE_BYTES).expect("the parent reads");
}

fn play(role: &str, layers: &BTreeSet<Layer>) {
    match role {
        "layers" => say(&layers.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(" ")),
        "environment" => say(&std::env::vars_os().count().to_string()),
        "shout" => shout(),
        "sleep" => wait_for_end_of_input(),
        "spin" => spin(),
        "abort" => std::process::abort(),
        "panic" => panic!("on purpose"),
        "touch" => touch(TOUCHED_BYTES),
        "greedy" => touch(LIMITS.data as usize),
        "seal" => {
            seal_code(layers).expect("the first filter lets it");
            say(&seal_code(layers).expect_err("the second does not").to_string());
        }
        "file" => read_passed_file(),
        _ => say("no such role"),
    }
}

/// Reads a file by its descriptor: its length and some of its text.
fn read_passed_file() {
    let mut file = std::fs::File::from(take_descriptor(PASSED).expect("passed and kept"));
    let length = file.seek(SeekFrom::End(0));
    let mut middle = [0; 4];
    let read = std::os::unix::fs::FileExt::read_exact_at(&file, &mut middle, 2);
    let twice = take_descriptor(PASSED).is_ok();
    say(&format!("{length:?} {read:?} {} {twice}", String::from_utf8_lossy(&middle)));
}

fn wait_for_end_of_input() {
    say("ready");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Far more than is kept, and more than a pipe holds.
fn shout() {
    let mut stderr = std::io::stderr();
    for _ in 0..1000 {
        stderr.write_all("\u{1b}[31mloud \u{202e}".repeat(100).as_bytes()).expect("someone drains it");
    }
    say("done");
}

fn spin() {
    say("ready");
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number + 1);
    }
}

fn touch(bytes: usize) {
    let mut memory = vec![0_u8; bytes];
    memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    std::hint::black_box(&memory);
    drop(memory);
    wait_for_end_of_input();
}
