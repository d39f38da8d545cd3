//! Running commands, one line per step.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// Does `work` and prints how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let outcome = work().with_context(|| format!("step `{name}` failed"));
    let mark = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("{mark:>10}  {name} ({:.1} s)", start.elapsed().as_secs_f64());
    outcome
}

/// Runs to the end; an exit status other than 0 is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Runs to the end and returns what it wrote to stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed something that is not UTF-8", line(command)))
}

/// Whether it starts and ends with status 0. Prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Runs to the end, passing all output on, and returns the lines that `keep` picks, colours removed, whatever the
/// exit status was.
pub(crate) fn run_keeping(command: &mut Command, keep: fn(&str) -> bool) -> (Vec<String>, Result<()>) {
    let text = line(command);
    let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (Vec::new(), Err(error).with_context(|| format!("cannot start {text}"))),
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let kept = thread::scope(|scope| {
        let out = scope.spawn(move || forward(out, std::io::stdout(), keep));
        let mut kept = forward(err, std::io::stderr(), keep);
        kept.extend(out.join().unwrap_or_default());
        kept
    });
    let outcome = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(anyhow::anyhow!("{text} ended with {status}")),
        Err(error) => Err(error).with_context(|| format!("cannot wait for {text}")),
    };
    (kept, outcome)
}

fn forward(from: Option<impl Read>, mut to: impl std::io::Write, keep: fn(&str) -> bool) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(from) = from else { return kept };
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    while matches!(from.read_until(b'\n', &mut bytes), Ok(1..)) {
        // A reader that went away must not stop the tests.
        let _ = to.write_all(&bytes).and_then(|()| to.flush());
        let text = without_colours(&String::from_utf8_lossy(&bytes));
        if keep(text.trim()) {
            kept.push(text.trim().to_owned());
        }
        bytes.clear();
    }
    kept
}

/// `text` without ANSI colour sequences.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// The command as it would be typed.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" "))
}

/// A blank line between the output of two steps.
pub(crate) fn blank() {
    let _ = writeln!(std::io::stderr());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed() {
        assert_eq!(
            without_colours("\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] 3 tests run"),
            "     Summary [   0.1s] 3 tests run"
        );
    }

    #[test]
    fn kept_lines_come_from_both_streams_of_a_failing_command() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo keep out; echo drop; echo keep err >&2; exit 3"]);
        let (mut kept, outcome) = run_keeping(&mut command, |line| line.starts_with("keep"));
        kept.sort();
        assert_eq!(kept, ["keep err", "keep out"]);
        let message = outcome.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.ends_with("ended with exit status: 3"), "{message}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let message = run(&mut Command::new("/nonexistent/program")).err().map(|e| e.to_string());
        assert_eq!(message.as_deref(), Some("cannot start `/nonexistent/program`"));
    }
}
