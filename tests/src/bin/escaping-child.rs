//! A boxed child whose engine has failed: its guest may ask the operating system for what it wants.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Command, ExitCode};

use rustix::process::{Signal, getppid, kill_process};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["compile", policy] => thimble_runtime::compile_child(policy),
        ["run", settings] => thimble_runtime::run_escaping_child(settings, escape),
        _ => ExitCode::FAILURE,
    }
}

/// Does what the guest's text says, word by word, and tells what came of each.
fn escape(text: &str) -> String {
    text.split(';').map(|wish| format!("{wish}: {}\n", outcome(wish))).collect()
}

fn outcome(wish: &str) -> String {
    let said = |result: std::io::Result<()>| result.map_or_else(|error| error.to_string(), |()| "DONE".to_owned());
    match wish.split_once(' ') {
        Some(("read", path)) => said(File::open(path).map(drop)),
        Some(("write", path)) => said(File::create(path).map(drop)),
        Some(("connect", address)) => said(TcpStream::connect(address).map(drop)),
        Some(("run", program)) => said(Command::new(program).spawn().map(drop)),
        Some(("thread", _)) => said(std::thread::Builder::new().spawn(|| ()).map(drop)),
        Some(("kill", "parent")) => match getppid() {
            Some(parent) => said(kill_process(parent, Signal::TERM).map_err(Into::into)),
            None => "no parent".to_owned(),
        },
        _ => "no such wish".to_owned(),
    }
}
