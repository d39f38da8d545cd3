//! The filter of system calls: what a computation over pipes needs, by name, and nothing else.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// What a child is for, which decides what it may still ask of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Makes machine code as bytes. Never has executable memory of its own.
    Compile,
    /// Loads machine code, says [`crate::seal_code()`] and runs it.
    Run,
}

impl Job {
    /// The system calls that a child of this job may make on this machine, some of them with certain arguments only.
    pub fn calls(self) -> impl Iterator<Item = &'static str> {
        let here = |call: &&Call| call.number(&HERE).is_some();
        let listed =
            move |call: &&Call| self == Self::Run || !matches!(call.rule, Rule::Sealing { .. } | Rule::Running);
        CALLS.iter().filter(here).filter(listed).map(|call| call.name)
    }
}

/// When a call is allowed.
#[derive(Clone, Copy)]
enum Rule {
    /// Always.
    Free,
    /// Unless it makes memory executable; freely for [`Job::Run`], until the code is sealed.
    Protection,
    /// On clocks of the machine, not on those that name another process.
    Clock,
    /// To threads of this process: how `abort` ends it.
    OwnProcess,
    /// For [`Job::Run`], and only to promise more or to add a filter: how the code is sealed.
    Sealing { argument: u64 },
    /// For [`Job::Run`].
    Running,
}

/// One call and its numbers; `None` where an architecture has no use for it.
struct Call {
    name: &'static str,
    x86_64: Option<i64>,
    aarch64: Option<i64>,
    rule: Rule,
}

const fn call(name: &'static str, x86_64: i64, aarch64: i64, rule: Rule) -> Call {
    Call { name, x86_64: Some(x86_64), aarch64: Some(aarch64), rule }
}

/// Everything a locked child may ask of the kernel.
const CALLS: &[Call] = &[
    // Descriptors that are open. No call makes another, and `fstat` alone tells a length: the calls that take a path as well
    // would tell of any file.
    call("read", 0, 63, Rule::Free),
    call("write", 1, 64, Rule::Free),
    call("readv", 19, 65, Rule::Free),
    call("writev", 20, 66, Rule::Free),
    call("pread64", 17, 67, Rule::Free),
    call("lseek", 8, 62, Rule::Free),
    call("fstat", 5, 80, Rule::Free),
    call("close", 3, 57, Rule::Free),
    // Memory.
    call("brk", 12, 214, Rule::Free),
    call("mmap", 9, 222, Rule::Protection),
    call("mprotect", 10, 226, Rule::Protection),
    call("munmap", 11, 215, Rule::Free),
    call("mremap", 25, 216, Rule::Free),
    call("madvise", 28, 233, Rule::Free),
    // Signals of its own: traps of the guest, stack overflow, `abort`.
    call("rt_sigaction", 13, 134, Rule::Free),
    call("rt_sigprocmask", 14, 135, Rule::Free),
    call("rt_sigreturn", 15, 139, Rule::Free),
    call("sigaltstack", 131, 132, Rule::Free),
    call("restart_syscall", 219, 128, Rule::Free),
    call("getpid", 39, 172, Rule::Free),
    call("gettid", 186, 178, Rule::Free),
    call("tgkill", 234, 131, Rule::OwnProcess),
    // Locks, time and seeds of hash maps.
    call("futex", 202, 98, Rule::Free),
    call("sched_yield", 24, 124, Rule::Free),
    call("clock_gettime", 228, 113, Rule::Clock),
    call("getrandom", 318, 278, Rule::Free),
    // The end.
    call("exit", 60, 93, Rule::Free),
    call("exit_group", 231, 94, Rule::Free),
    // Sealing.
    call("prctl", 157, 167, Rule::Sealing { argument: libc::PR_SET_NO_NEW_PRIVS as u64 }),
    call("seccomp", 317, 277, Rule::Sealing { argument: libc::SECCOMP_SET_MODE_FILTER as u64 }),
    // New code must be seen by every core before it runs; x86_64 does so by itself.
    Call { name: "membarrier", x86_64: None, aarch64: Some(283), rule: Rule::Running },
];

/// What sealed code cannot ask for any more.
const SEALED: &[Call] = &[
    call("mmap", 9, 222, Rule::Protection),
    call("mprotect", 10, 226, Rule::Protection),
    call("pkey_mprotect", 329, 288, Rule::Protection),
    call("prctl", 157, 167, Rule::Free),
    call("seccomp", 317, 277, Rule::Free),
];

/// Clocks of the machine have small numbers; those made from a process or a descriptor are negative.
const LAST_CLOCK: u64 = libc::CLOCK_BOOTTIME as u64;
const EXECUTABLE: u64 = libc::PROT_EXEC as u64;

#[cfg(target_arch = "x86_64")]
const HERE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const HERE: TargetArch = TargetArch::aarch64;

impl Call {
    const fn number(&self, arch: &TargetArch) -> Option<i64> {
        match arch {
            TargetArch::x86_64 => self.x86_64,
            TargetArch::aarch64 => self.aarch64,
            TargetArch::riscv64 => None,
        }
    }

    /// The conditions of the allow-list: `None` where the call is not in it for this job, none where it is always allowed.
    fn allowed(&self, job: Job, process: u32) -> Result<Option<Vec<SeccompRule>>, Error> {
        let when = |argument, op, value| {
            let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)?;
            Ok(Some(vec![SeccompRule::new(vec![condition])?]))
        };
        match (self.rule, job) {
            (Rule::Free, _) | (Rule::Protection | Rule::Running, Job::Run) => Ok(Some(Vec::new())),
            (Rule::Protection, Job::Compile) => when(2, SeccompCmpOp::MaskedEq(EXECUTABLE), 0),
            (Rule::Clock, _) => when(0, SeccompCmpOp::Le, LAST_CLOCK),
            (Rule::OwnProcess, _) => when(0, SeccompCmpOp::Eq, process.into()),
            (Rule::Sealing { argument }, Job::Run) => when(0, SeccompCmpOp::Eq, argument),
            (Rule::Sealing { .. } | Rule::Running, Job::Compile) => Ok(None),
        }
    }
}

/// The allow-list as a program for the kernel.
///
/// A call that is not in it fails with EPERM and the process goes on: the standard library and the C library take the refusal
/// of a call they can do without (statx, say) and use an older one; a probe can tell what was refused; and whoever runs
/// code of their own here gains nothing from living on. A call by another architecture's convention kills the process.
fn allow_list(arch: TargetArch, job: Job, process: u32) -> Result<BpfProgram, Error> {
    let mut rules = BTreeMap::new();
    for call in CALLS {
        if let (Some(number), Some(conditions)) = (call.number(&arch), call.allowed(job, process)?) {
            rules.insert(number, conditions);
        }
    }
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    Ok(SeccompFilter::new(rules, refused, SeccompAction::Allow, arch)?.try_into()?)
}

/// The second filter, laid over the first: both must allow a call.
fn seal(arch: TargetArch) -> Result<BpfProgram, Error> {
    let mut rules = BTreeMap::new();
    for call in SEALED {
        let Some(number) = call.number(&arch) else { continue };
        let conditions = match call.rule {
            Rule::Protection => {
                let executable = SeccompCmpOp::MaskedEq(EXECUTABLE);
                let condition = SeccompCondition::new(2, SeccompCmpArgLen::Dword, executable, EXECUTABLE)?;
                vec![SeccompRule::new(vec![condition])?]
            }
            _ => Vec::new(),
        };
        rules.insert(number, conditions);
    }
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()?)
}

pub(crate) fn allow_only_those_of(job: Job) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(&allow_list(HERE, job, std::process::id())?)
}

pub(crate) fn refuse_executable_memory() -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(&seal(HERE)?)
}

#[cfg(test)]
mod tests {
    use seccompiler::sock_filter;

    use super::*;

    const ARCHES: [TargetArch; 2] = [TargetArch::x86_64, TargetArch::aarch64];
    const PROCESS: u32 = 4711;
    const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;
    const REFUSED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    const KILLED: u32 = libc::SECCOMP_RET_KILL_PROCESS;

    /// `AUDIT_ARCH_*`: the machine's number in ELF, with the bits for 64 bits and little-endian.
    fn audit(arch: TargetArch) -> u32 {
        0xc000_0000 | if arch == TargetArch::x86_64 { 62 } else { 183 }
    }

    /// What the kernel does with a call: the few instructions that such filters are made of, over `struct seccomp_data`.
    fn decide(program: &[sock_filter], audit: u32, number: i64, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend((number as u32).to_le_bytes());
        data.extend(audit.to_le_bytes());
        data.extend([0; 8]);
        arguments.iter().for_each(|argument| data.extend(argument.to_le_bytes()));
        let (mut accumulator, mut at) = (0_u32, 0);
        loop {
            let instruction = &program[at];
            let k = instruction.k;
            at += 1;
            let jump = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
            match instruction.code {
                0x20 => accumulator = u32::from_le_bytes(*data[k as usize..].first_chunk().expect("inside the data")),
                0x54 => accumulator &= k,
                0x05 => at += k as usize,
                0x15 => at += jump(accumulator == k),
                0x25 => at += jump(accumulator > k),
                0x35 => at += jump(accumulator >= k),
                0x06 => return k,
                code => unreachable!("instruction {code:#x}"),
            }
        }
    }

    /// What a job's filter does with a call of the table.
    fn outcome(arch: TargetArch, job: Job, name: &str, arguments: [u64; 6]) -> u32 {
        let call = CALLS.iter().find(|call| call.name == name).expect("in the table");
        let program = allow_list(arch, job, PROCESS).expect("a filter");
        decide(&program, audit(arch), call.number(&arch).expect("of this architecture"), arguments)
    }

    #[test]
    fn numbers_are_those_of_the_c_library_for_this_architecture() {
        let known = [
            ("brk", libc::SYS_brk),
            ("clock_gettime", libc::SYS_clock_gettime),
            ("close", libc::SYS_close),
            ("exit", libc::SYS_exit),
            ("exit_group", libc::SYS_exit_group),
            ("fstat", libc::SYS_fstat),
            ("futex", libc::SYS_futex),
            ("getpid", libc::SYS_getpid),
            ("getrandom", libc::SYS_getrandom),
            ("gettid", libc::SYS_gettid),
            ("lseek", libc::SYS_lseek),
            ("madvise", libc::SYS_madvise),
            #[cfg(target_arch = "aarch64")]
            ("membarrier", libc::SYS_membarrier),
            ("mmap", libc::SYS_mmap),
            ("mprotect", libc::SYS_mprotect),
            ("mremap", libc::SYS_mremap),
            ("munmap", libc::SYS_munmap),
            ("pkey_mprotect", libc::SYS_pkey_mprotect),
            ("prctl", libc::SYS_prctl),
            ("pread64", libc::SYS_pread64),
            ("read", libc::SYS_read),
            ("readv", libc::SYS_readv),
            ("restart_syscall", libc::SYS_restart_syscall),
            ("rt_sigaction", libc::SYS_rt_sigaction),
            ("rt_sigprocmask", libc::SYS_rt_sigprocmask),
            ("rt_sigreturn", libc::SYS_rt_sigreturn),
            ("sched_yield", libc::SYS_sched_yield),
            ("seccomp", libc::SYS_seccomp),
            ("sigaltstack", libc::SYS_sigaltstack),
            ("tgkill", libc::SYS_tgkill),
            ("write", libc::SYS_write),
            ("writev", libc::SYS_writev),
        ];
        let table: BTreeMap<_, _> =
            CALLS.iter().chain(SEALED).filter_map(|call| Some((call.name, call.number(&HERE)?))).collect();
        assert_eq!(table, BTreeMap::from(known));
    }

    #[test]
    fn filters_of_both_architectures_allow_the_table_and_refuse_every_other_number() {
        for arch in ARCHES {
            for job in [Job::Compile, Job::Run] {
                let program = allow_list(arch, job, PROCESS).expect("a filter");
                let listed: Vec<i64> = CALLS.iter().filter_map(|call| call.number(&arch)).collect();
                for number in (0..600).filter(|number| !listed.contains(number)) {
                    assert_eq!(decide(&program, audit(arch), number, [0; 6]), REFUSED, "{arch:?} {job:?} {number}");
                }
                for call in CALLS.iter().filter(|call| matches!(call.rule, Rule::Free)) {
                    assert_eq!(outcome(arch, job, call.name, [u64::MAX; 6]), ALLOWED, "{arch:?} {}", call.name);
                }
            }
        }
    }

    #[test]
    fn a_call_by_another_architectures_convention_kills() {
        for (arch, other) in [(ARCHES[0], ARCHES[1]), (ARCHES[1], ARCHES[0])] {
            let program = allow_list(arch, Job::Run, PROCESS).expect("a filter");
            assert_eq!(decide(&program, audit(other), 0, [0; 6]), KILLED);
            // i386, by which `int 0x80` calls.
            assert_eq!(decide(&program, 0x4000_0003, 3, [0; 6]), KILLED);
        }
        // x32 shares the architecture and sets a bit of the number: `read` is not in the list by that number.
        let program = allow_list(TargetArch::x86_64, Job::Run, PROCESS).expect("a filter");
        assert_eq!(decide(&program, audit(TargetArch::x86_64), 0x4000_0000, [0; 6]), REFUSED);
    }

    #[test]
    fn only_a_run_may_have_executable_memory_and_only_until_it_is_sealed() {
        for arch in ARCHES {
            for name in ["mmap", "mprotect"] {
                for protection in 0..8_u64 {
                    let arguments = [0, 4096, protection, 0, 0, 0];
                    let executable = protection & EXECUTABLE != 0;
                    let expected = if executable { REFUSED } else { ALLOWED };
                    assert_eq!(outcome(arch, Job::Compile, name, arguments), expected, "{arch:?} {name} {protection}");
                    assert_eq!(outcome(arch, Job::Run, name, arguments), ALLOWED, "{arch:?} {name} {protection}");
                    let number = SEALED.iter().find(|call| call.name == name).and_then(|call| call.number(&arch));
                    let sealed = seal(arch).expect("a filter");
                    let found = decide(&sealed, audit(arch), number.expect("of this architecture"), arguments);
                    assert_eq!(found, expected, "{arch:?} sealed {name} {protection}");
                }
            }
        }
    }

    #[test]
    fn a_sealed_process_cannot_change_its_filters() {
        for arch in ARCHES {
            let sealed = seal(arch).expect("a filter");
            for call in SEALED.iter().filter(|call| matches!(call.rule, Rule::Free)) {
                let number = call.number(&arch).expect("of both");
                assert_eq!(decide(&sealed, audit(arch), number, [38, 1, 0, 0, 0, 0]), REFUSED, "{}", call.name);
            }
        }
    }

    #[test]
    fn arguments_are_those_the_table_says() {
        for arch in ARCHES {
            let at = |name, job, argument| outcome(arch, job, name, [argument, 0, 0, 0, 0, 0]);
            assert_eq!(at("tgkill", Job::Run, PROCESS.into()), ALLOWED);
            assert_eq!(at("tgkill", Job::Run, 1), REFUSED);
            assert_eq!(at("clock_gettime", Job::Run, LAST_CLOCK), ALLOWED);
            // The processor time of process 1: `~1 << 3 | 2`.
            assert_eq!(at("clock_gettime", Job::Run, (!1_i32 << 3 | 2) as u32 as u64), REFUSED);
            for name in ["prctl", "seccomp"] {
                let argument = if name == "prctl" { 38 } else { 1 };
                assert_eq!(at(name, Job::Run, argument), ALLOWED, "{name}");
                assert_eq!(at(name, Job::Run, argument + 1), REFUSED, "{name}");
                assert_eq!(at(name, Job::Compile, argument), REFUSED, "{name}");
            }
        }
        assert_eq!(outcome(TargetArch::aarch64, Job::Run, "membarrier", [0; 6]), ALLOWED);
        assert_eq!(outcome(TargetArch::aarch64, Job::Compile, "membarrier", [0; 6]), REFUSED);
    }
}
