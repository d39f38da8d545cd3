//! Secrets from standard input: never from the command line, which other users of the machine can see.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Stdin, stdin};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use thimble_client::Token;

use crate::exit::{Blame as _, Failure};
use crate::output;

/// Reads no further than this for the end of a line.
const MAX_LINE_BYTES: u64 = 4 << 10;

/// A secret from the first line of standard input; on a terminal after a prompt, and not shown as it is typed.
pub(crate) fn secret(what: &str) -> Result<Token, Failure> {
    let stdin = stdin();
    let line = if stdin.is_terminal() {
        output::note(&format!("{what}, which is not shown; then Enter:"));
        let silence = Silence::on(&stdin);
        let line = read_line(&stdin);
        drop(silence);
        line
    } else {
        read_line(&stdin)
    }?;
    if line.trim().is_empty() {
        return Err(Failure::usage(format!("there is no {what} on standard input")));
    }
    line.parse().with_context(|| format!("the {what} on standard input")).or_input()
}

fn read_line(stdin: &Stdin) -> Result<String, Failure> {
    let mut line = String::new();
    stdin.lock().take(MAX_LINE_BYTES).read_line(&mut line).context("cannot read standard input").or_input()?;
    Ok(line)
}

/// A terminal that does not show what is typed, as long as this lives.
struct Silence<'a> {
    stdin: &'a Stdin,
    before: Option<Termios>,
}

impl<'a> Silence<'a> {
    /// A terminal that cannot be silenced is used as it is.
    fn on(stdin: &'a Stdin) -> Self {
        let before = tcgetattr(stdin).ok().filter(|before| {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            // The end of the line is still shown: the cursor moves on.
            silent.local_modes.insert(LocalModes::ECHONL);
            tcsetattr(stdin, OptionalActions::Flush, &silent).is_ok()
        });
        Self { stdin, before }
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(self.stdin, OptionalActions::Flush, before);
        }
    }
}
