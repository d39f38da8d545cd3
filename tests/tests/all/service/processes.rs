//! Processes of this machine, as `/proc` tells of them.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Processes that `parent` has started and that still run, and what these have started.
pub(super) fn descendants(parent: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .expect("a Linux machine")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent_of(pid)?)))
        .collect();
    let mut found = vec![parent];
    let mut next = 0;
    while next < found.len() {
        let of = found[next];
        found.extend(processes.iter().filter(|(_, parent)| *parent == of).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// Those among the descendants of `parent` that were started with the word `word`. A process that is being started has its
/// parent's words until it has its own program: what stands below one of those is none.
pub(super) fn started_with(parent: u32, word: &str) -> Vec<u32> {
    let with = |pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
    };
    let started = |pid: &u32| with(*pid) && !parent_of(*pid).is_some_and(with);
    descendants(parent).into_iter().filter(started).collect()
}

/// SIGKILL.
pub(super) fn kill(pid: u32) {
    let status = Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("kill is there");
    assert!(status.success(), "process {pid} was not there to be killed");
}

/// Whether it runs: neither gone nor waiting to be buried.
pub(super) fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// The most memory that it has had resident, in bytes; none when it is gone.
pub(super) fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes << 10)
}

/// Asks again and again until there is an answer.
pub(super) fn wait_for<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < patience, "{what}: not within {patience:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn parent_of(pid: u32) -> Option<u32> {
    stat(pid).filter(|(state, _)| *state != 'Z').map(|(_, parent)| parent)
}

/// State and parent. The name before them stands in brackets and may hold anything.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
