//! Guests written in C: bindings made from the contract, clang for the core module, a component around it.
//!
//! Nothing but a compiler and a linker is needed: there is no C library, so a guest brings what it needs of one, and it
//! imports nothing but the contract. A program of its own, so that `cargo xtask` stays quick to build.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::ComponentEncoder;

/// The name of the contract's one world.
const WORLD: &str = "solution";

/// The stack is the first 64 KiB, below the data, so that an overflow traps and overwrites nothing. No relaxed SIMD: the
/// clang of Debian 12 writes it with numbers from before it was standardised, and a fused multiply-add costs as much fuel
/// as the two operators it stands for.
const FLAGS: [&str; 16] = [
    "--target=wasm32",
    "-std=c11",
    "-O3",
    "-msimd128",
    "-mbulk-memory",
    "-ffreestanding",
    "-ffp-contract=off",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,--no-entry",
    "-Wl,--gc-sections",
    // Not --strip-all: that would take the component's type, a custom section, with it.
    "-Wl,--strip-debug",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=65536",
];

/// Builds the C sources of some directories to a component.
#[derive(Debug, Parser)]
struct Opts {
    /// Where *.c are built; all of them are on the include path
    #[arg(required = true)]
    directories: Vec<PathBuf>,
    /// The contract, thimble.wit
    #[arg(long)]
    contract: PathBuf,
    /// Where the bindings and the core module are left
    #[arg(long)]
    build: PathBuf,
    /// The component to write
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    match Opts::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Opts {
    fn run(self) -> Result<()> {
        let contract = String::from_utf8(read(&self.contract)?)
            .with_context(|| format!("{} is not UTF-8", self.contract.display()))?;
        fs::create_dir_all(&self.build).with_context(|| format!("cannot create {}", self.build.display()))?;
        write_bindings(&contract, &self.build).context("cannot make C bindings of the contract")?;

        let core = self.build.join("core.wasm");
        let mut clang = Command::new("clang");
        clang.args(FLAGS).arg("-I").arg(&self.build);
        for directory in &self.directories {
            clang.arg("-I").arg(directory).args(sources(directory)?);
        }
        clang.args(["solution.c", "solution_component_type.o"].map(|part| self.build.join(part)));
        clang.arg("-o").arg(&core);
        let status = clang.status().context("cannot start clang")?;
        if !status.success() {
            bail!("clang ended with {status}");
        }
        write(&self.out, &encode(&read(&core)?).context("cannot make a component of the core module")?)
    }
}

/// The C sources of a directory, in the order of their names.
fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let reading = || format!("cannot read {}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        if path.extension() == Some(OsStr::new("c")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Writes `solution.h`, `solution.c` and an object file with the type of the component.
fn write_bindings(contract: &str, directory: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("thimble.wit", contract)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    files.iter().try_for_each(|(name, bytes)| write(&directory.join(name), bytes))
}

/// The component of a core module that speaks the canonical ABI and holds the type that the bindings' object file gave it.
fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
