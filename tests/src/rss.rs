//! How much resident memory this process gains while something runs (Linux: `/proc/self`).

use std::fs;

/// A measurement under way. Others in the same process at the same time are measured with it.
#[derive(Debug)]
pub struct Peak {
    before: u64,
}

impl Peak {
    /// Forgets the peak so far.
    ///
    /// # Panics
    /// Where the kernel does not keep these figures.
    pub fn start() -> Self {
        // 5: reset the peak resident set size (proc_pid_clear_refs(5)).
        fs::write("/proc/self/clear_refs", "5").expect("the kernel resets the peak of resident memory");
        Self { before: status("VmRSS:") }
    }

    /// Growth from the start to the peak.
    pub fn grown_bytes(&self) -> u64 {
        status("VmHWM:").saturating_sub(self.before)
    }
}

fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel describes this process");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a figure for resident memory");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
    kibibytes << 10
}
