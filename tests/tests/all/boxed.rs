//! The box around a guest: what it costs nothing of, and what it withstands when the engine inside has failed.
//!
//! That every hostile guest comes to the same bytes inside the box as outside is part of every case of the other modules.

use std::ffi::OsString;
use std::net::TcpListener;

use rustix::process::{Pid, Signal, kill_process};
use thimble_challenge::result::{EvaluationResult, Mode, Phase, Place};
use thimble_challenge::{Flops, Verdict};
use thimble_runtime::{Event, Observer, Unobserved};
use thimble_sandbox::Layer;
use thimble_tests::evaluation::{DATASET, evaluate, evaluate_boxed, evaluate_in, thimble};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::template::{Solution, predict, solve};

const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

/// The children of the command line.
fn own() -> Vec<OsString> {
    vec![OsString::from(thimble()), OsString::from("sandbox-child")]
}

/// A shell script in place of the children that run guests; what compiles is the command line's.
fn scripted(script: &str) -> Vec<OsString> {
    let thimble = thimble();
    let thimble = thimble.display();
    let script = format!("[ \"$0\" = compile ] && exec {thimble} sandbox-child \"$0\" \"$1\"; {script}");
    ["/bin/sh", "-c", &script].map(OsString::from).into()
}

/// A run of an honest submission, or of another, with these children.
fn run(command: &[OsString], guest: &Solution, mode: Mode, observer: &mut dyn Observer) -> EvaluationResult {
    let mut challenge = fixture::challenge();
    // What never ends is still running when something happens to it.
    challenge.limits.training_flops = Flops(1 << 40);
    challenge.limits.prediction_flops_per_sample = Flops(1 << 32);
    let (challenge, data) = DATASET.load(challenge, mode);
    evaluate_in(command, &data, &guest.component(), &challenge, observer)
}

/// The verdict with the rule behind it.
fn end(result: &EvaluationResult) -> (Verdict, &str) {
    let failure = result.comparable.failure.as_ref();
    (result.comparable.verdict, failure.map_or("", |failure| failure.rule.as_str()))
}

#[test]
fn a_result_says_what_stood_between_the_guest_and_the_machine() {
    let guest = Solution::default().component();
    let boxed = evaluate_boxed(&guest, fixture::challenge(), Mode::Official);
    let isolation = boxed.run.isolation.expect("the guest ran");
    assert_eq!(isolation.place, Place::Process);
    assert_eq!(isolation.layers, Layer::REQUIRED.map(|layer| layer.name().to_owned()));
    let peak = isolation.peak_process_bytes.expect("measured");
    assert!((1 << 20..1 << 30).contains(&peak), "{peak} bytes");
    let here = evaluate(&guest, fixture::challenge(), Mode::Official).result;
    let isolation = here.run.isolation.expect("the guest ran");
    assert_eq!((isolation.place, isolation.layers.len(), isolation.peak_process_bytes), (Place::InProcess, 0, None));
}

#[test]
fn a_guest_that_has_escaped_from_the_engine_reaches_nothing_and_its_run_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let place = tempfile::tempdir().expect("a directory");
    let dataset = DATASET.path().join("test.arrow");
    let file = place.path().join("made");
    let wishes = [
        "read /etc/passwd".to_owned(),
        "read /proc/self/mem".to_owned(),
        "read /proc/self/environ".to_owned(),
        format!("read {}", dataset.display()),
        format!("write {}", file.display()),
        format!("connect {address}"),
        "run /bin/true".to_owned(),
        "thread 1".to_owned(),
        "kill parent".to_owned(),
    ];
    let text = wishes.join(";");
    let child = thimble().with_file_name("escaping-child");
    assert!(child.exists(), "{} is missing; build the workspace", child.display());
    let log = format!("(call $log (i32.const 1024) (i32.const {}))", text.len());
    // In both phases.
    let mut guest = solve(&format!("{log} (call $return_f32 (i32.const 8))")).with_data(text.as_bytes());
    guest.predict = format!("{log} {}", guest.predict);
    let result = run(&[child.into()], &guest, Mode::Validation, &mut Unobserved);
    assert_eq!(end(&result), (Verdict::Scored, ""), "{:?}", result.comparable.failure);
    let log = result.run.journal.expect("validation").log;
    println!("{log}");
    for wish in &wishes {
        let refused = log.lines().filter(|line| {
            line.strip_prefix(&format!("{wish}: ")).is_some_and(|outcome| outcome.contains("(os error 1)"))
        });
        assert!(refused.count() >= 2, "{wish} was not refused in every phase:\n{log}");
    }
    assert!(!log.contains("DONE"), "{log}");
    assert!(!file.exists());
    listener.set_nonblocking(true).expect("it listens");
    assert!(listener.accept().is_err(), "nobody has connected");
}

#[test]
fn children_that_answer_nothing_or_nonsense_are_faults_of_the_platform() {
    for script in [
        "exit 0",
        "exit 101",
        "kill -ABRT $$",
        "kill -SEGV $$",
        "kill -SYS $$",
        "echo nonsense that is longer than a header",
        // 2^62 bytes announced.
        "printf '\\000\\000\\000\\000\\000\\000\\000\\100'; cat >/dev/null",
        // A reply of a kind that there is none of.
        "printf '\\001\\000\\000\\000\\000\\000\\000\\000\\377'; cat >/dev/null",
        // `Linked` before the box is closed.
        "printf '\\001\\000\\000\\000\\000\\000\\000\\000\\001'; cat >/dev/null",
        // Closes its end and lives on.
        "exec 1>&-; exec sleep 100",
    ] {
        let result = run(&scripted(script), &Solution::default(), Mode::Validation, &mut Unobserved);
        assert_eq!(end(&result), (Verdict::PlatformFault, "sandbox"), "{script}: {:?}", result.comparable.failure);
        assert_eq!(result.comparable.compute.training_fuel_charged.0, 0, "{script}");
    }
}

#[test]
fn what_a_child_wrote_before_it_died_is_kept_of_validation_and_of_no_official_run() {
    let message = |mode| {
        let result = run(&scripted("echo marker >&2; exit 3"), &Solution::default(), mode, &mut Unobserved);
        assert_eq!(end(&result).0, Verdict::PlatformFault);
        result.comparable.failure.expect("a failure").message
    };
    assert!(message(Mode::Validation).contains("marker"));
    assert!(!message(Mode::Official).contains("marker"));
}

/// Ends the children of this process by a signal when a phase has begun, or when it is under way.
struct Killer {
    phase: Phase,
    signal: Signal,
    under_way: bool,
    killed: usize,
}

impl Observer for Killer {
    fn event(&mut self, event: Event<'_>) {
        let now = match event {
            Event::PhaseStarted(phase) => phase == self.phase && !self.under_way,
            Event::Fuel { phase, .. } => phase == self.phase && self.under_way && self.killed == 0,
            _ => false,
        };
        if now {
            for child in children() {
                kill_process(child, self.signal).expect("a child of this process");
                self.killed += 1;
            }
        }
    }
}

/// Each test has a process of its own, so these are the children of one evaluation.
fn children() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
    let of_task = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let numbers: Vec<i32> = tasks
        .map(of_task)
        .flat_map(|list| list.split_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<_>>())
        .collect();
    numbers.into_iter().filter_map(Pid::from_raw).collect()
}

fn killed(guest: &Solution, phase: Phase, signal: Signal, under_way: bool) -> EvaluationResult {
    let mut killer = Killer { phase, signal, under_way, killed: 0 };
    let result = run(&own(), guest, Mode::Validation, &mut killer);
    assert!(killer.killed > 0, "there was a child in {phase:?}");
    let charged = result.comparable.compute.training_fuel_charged.0;
    assert_eq!(charged, 0, "our failure is not charged: {phase:?} {signal:?} {:?}", result.comparable.failure);
    result
}

#[test]
fn a_child_killed_at_any_moment_is_a_fault_of_the_platform_and_not_charged() {
    for (guest, phase, under_way) in [
        (Solution::default(), Phase::Learn, false),
        (solve(FOREVER), Phase::Learn, true),
        (predict(FOREVER), Phase::Predict, true),
    ] {
        // Those that no handler in the child survives.
        for (signal, rule) in [(Signal::KILL, "host_memory"), (Signal::SYS, "sandbox"), (Signal::ABORT, "sandbox")] {
            let result = killed(&guest, phase, signal, under_way);
            assert_eq!(end(&result), (Verdict::PlatformFault, rule), "{phase:?} {signal:?}");
            assert_eq!(result.comparable.failure.map(|failure| failure.phase), Some(phase));
        }
    }
}

/// What the kernel sends when the limit of processor time is used up, which wall time is over before.
#[test]
fn a_child_out_of_processor_time_has_reached_the_deadline() {
    let mut killer = Killer { phase: Phase::Learn, signal: Signal::XCPU, under_way: true, killed: 0 };
    let result = run(&own(), &solve(FOREVER), Mode::Validation, &mut killer);
    assert_eq!(end(&result), (Verdict::Deadline, "wall_seconds"));
}

/// Cuts the training split when learning begins.
struct Cutter<'a>(&'a StoredDataset);

impl Observer for Cutter<'_> {
    fn event(&mut self, event: Event<'_>) {
        if event == Event::PhaseStarted(Phase::Learn) {
            let path = self.0.path().join("train.arrow");
            let file = std::fs::OpenOptions::new().write(true).open(path).expect("the split's file");
            file.set_len(0).expect("it is cut");
        }
    }
}

#[test]
fn a_split_that_is_cut_under_the_map_ends_the_child_and_not_its_parent() {
    let data = StoredDataset::new(&fixture::tables());
    let (challenge, bound) = data.load(fixture::challenge(), Mode::Validation);
    let guest = solve("(drop (call $next_batch (i32.load (local.get $args)))) (call $return_f32 (i32.const 8))");
    let result = evaluate_in(&own(), &bound, &guest.component(), &challenge, &mut Cutter(&data));
    assert_eq!(end(&result), (Verdict::PlatformFault, "dataset"), "{:?}", result.comparable.failure);
}
