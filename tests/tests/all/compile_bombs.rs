//! Programs that are as dear to compile as admission lets them be: each costs the compile child no more than is promised
//! here, and one thing more is refused before there is a compiler.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use thimble_admission::Refusal;
use thimble_tests::bombs::{Bomb, Kind, kinds};
use thimble_tests::child;
use thimble_tests::evaluation::thimble;

/// Processor time of a compilation. The child's own limit is 30 s; what lies between is for slower machines.
const CPU: Duration = Duration::from_secs(10);
/// Resident memory of a compilation. The child's own limit is 2 GiB of address space.
const PEAK_BYTES: u64 = 1 << 30;
/// Admission of a program that it refuses. The largest take some 30 ms alone on a core; these share theirs.
const REFUSED_WITHIN: Duration = Duration::from_millis(500);

/// The kind that admission cannot tell from honest programs: 15 s here, and on a slower machine the child's own limit.
const DEARER: &str = "branches out of deep blocks, many locals";
/// Processor time of the child when its own limit ends it, one second for the kernel to notice included.
const CHILD_CPU: Duration = Duration::from_secs(31);

/// The first byte of the child's answer when it is an artifact.
const ARTIFACT: u8 = 0;

#[test]
fn what_is_just_inside_the_limits_compiles_in_bounded_time_and_what_is_just_outside_is_refused_at_once() {
    let kinds = kinds();
    assert!(kinds.len() >= 20, "{} kinds", kinds.len());
    println!(
        "{:40} {:>6} {:>24} {:>9} {:>10} {:>7} {:>7} {:>9} {:>8}",
        "kind", "units", "used up", "bytes", "refused ms", "wall s", "cpu s", "peak MiB", "code KiB"
    );
    let queue = Mutex::new(kinds.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(kind) = queue.lock().ok().and_then(|mut kinds| kinds.next()) {
                    if let Err(failure) = check(&kind) {
                        failures.lock().expect("no thread panics with the lock").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panicked with the lock");
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Builds, judges and compiles one kind, and prints its row.
fn check(kind: &Kind) -> Result<(), String> {
    let bomb = kind.build();
    let refused = refused(&bomb)?;
    bomb.judge_inside().map_err(|refusal| format!("{}: {refusal}", bomb.name))?;
    let ended = child::run(Command::new(thimble()).args(["sandbox-child", "compile", "required"]), &bomb.inside);
    let mebibytes = ended.peak_bytes >> 20;
    println!(
        "{:40} {:6} {:>24} {:9} {:10} {:7.2} {:7.2} {mebibytes:9} {:8}",
        bomb.name,
        bomb.units,
        bomb.limit.rule(),
        bomb.inside.len(),
        refused.as_millis(),
        ended.wall.as_secs_f64(),
        ended.cpu.as_secs_f64(),
        ended.output.len() >> 10,
    );
    if bomb.name == DEARER {
        let cut_off = ended.status.signal() == Some(libc::SIGXCPU);
        let within = ended.cpu <= CHILD_CPU && ended.peak_bytes <= PEAK_BYTES;
        let answered = ended.status.success() && ended.output.first() == Some(&ARTIFACT);
        return if within && (cut_off || answered) { Ok(()) } else { Err(format!("{}: {ended:?}", bomb.name)) };
    }
    if !ended.status.success() || ended.output.first() != Some(&ARTIFACT) {
        return Err(format!("{}: no artifact, {}", bomb.name, ended.status));
    }
    if ended.cpu > CPU || ended.peak_bytes > PEAK_BYTES {
        return Err(format!("{}: {:?} of processor time, {mebibytes} MiB", bomb.name, ended.cpu));
    }
    Ok(())
}

/// How long admission takes to refuse what has one unit too many, by the limit that is used up.
fn refused(bomb: &Bomb) -> Result<Duration, String> {
    let start = Instant::now();
    let verdict = bomb.judge_outside();
    let took = start.elapsed();
    match verdict {
        Err(Refusal::OverLimit { limit, maximum, value, .. }) if limit == bomb.limit && value > maximum => {}
        other => return Err(format!("{}: not refused for {}: {other:?}", bomb.name, bomb.limit.rule())),
    }
    if took > REFUSED_WITHIN {
        return Err(format!("{}: refused after {took:?}", bomb.name));
    }
    Ok(took)
}
