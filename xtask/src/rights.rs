//! What a dependency does, by the words of its source.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

/// Something a dependency may do only if it is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    BuildScript,
    Files,
    Network,
    ProcMacro,
    Processes,
    Unsafe,
}

impl Right {
    const ALL: [Self; 6] =
        [Self::BuildScript, Self::Files, Self::Network, Self::ProcMacro, Self::Processes, Self::Unsafe];

    /// Those that the manifest tells, not the source.
    pub(crate) const AT_BUILD: [Self; 2] = [Self::BuildScript, Self::ProcMacro];

    /// As the list spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BuildScript => "build-script",
            Self::Files => "files",
            Self::Network => "network",
            Self::ProcMacro => "proc-macro",
            Self::Processes => "processes",
            Self::Unsafe => "unsafe",
        }
    }

    /// Cargo's kind of target that has it; the name where there is none.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::BuildScript => "custom-build",
            right => right.name(),
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name() == name)
    }

    /// Those that a line of Rust uses, comments aside. A word in a text counts too: better granted once too often.
    fn of_line(line: &str) -> impl Iterator<Item = Self> {
        let code = line.split("//").next().unwrap_or_default();
        let words: [(Self, &[&str]); 3] = [
            (Self::Files, &["std::fs", "tokio::fs", "File::open", "File::create"]),
            (Self::Network, &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener"]),
            (Self::Processes, &["process::Command"]),
        ];
        let named = words.into_iter().filter(|(_, words)| words.iter().any(|word| after(code, word).next().is_some()));
        let unsafe_code = after(code, "unsafe").any(|rest| {
            let rest = rest.trim_start();
            ["{", "fn", "impl", "extern", "trait"].iter().any(|start| rest.starts_with(start))
        });
        named.map(|(right, _)| right).chain(unsafe_code.then_some(Self::Unsafe))
    }

    /// Those that the Rust files below `directory` use, whatever feature or platform they are for.
    pub(crate) fn of_source(directory: &Path) -> io::Result<BTreeSet<Self>> {
        let mut rights = BTreeSet::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                rights.extend(Self::of_source(&path)?);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read(&path)?;
                rights.extend(String::from_utf8_lossy(&text).lines().flat_map(Self::of_line));
            }
        }
        Ok(rights)
    }
}

/// What follows each place where `word` stands alone.
fn after<'a>(text: &'a str, word: &str) -> impl Iterator<Item = &'a str> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).filter_map(move |(at, found)| {
        let (before, rest) = (&text[..at], &text[at + found.len()..]);
        (!before.ends_with(part) && !rest.starts_with(part)).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<Right> {
        Right::of_line(line).collect()
    }

    #[test]
    fn rights_are_read_from_words() {
        assert_eq!(of("    let x = unsafe { *p };"), [Right::Unsafe]);
        assert_eq!(of("pub unsafe fn f() {}"), [Right::Unsafe]);
        assert_eq!(of("use std::fs;"), [Right::Files]);
        assert_eq!(of("let f = File::open(path)?; TcpStream::connect(a)"), [Right::Files, Right::Network]);
        assert_eq!(of("std::process::Command::new(\"cc\")"), [Right::Processes]);
    }

    #[test]
    fn comments_lint_names_and_longer_words_are_none() {
        assert_eq!(of("// unsafe { }"), []);
        assert_eq!(of("#![forbid(unsafe_code)]"), []);
        assert_eq!(of("fn is_unsafe {"), []);
        assert_eq!(of("MyTcpStreamer::new(); std::fsx"), []);
    }

    #[test]
    fn every_right_is_read_as_it_is_written() {
        for right in Right::ALL {
            assert_eq!(Right::parse(right.name()), Some(right));
        }
        assert_eq!(Right::parse("anything"), None);
    }
}
