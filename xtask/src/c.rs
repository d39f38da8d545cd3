//! Guests written in C: bindings made from the contract, clang for the core module, a component around it.
//!
//! Nothing but a compiler and a linker is installed: there is no C library, so these guests bring what they need of one,
//! and import nothing but the contract.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use wit_bindgen_core::Files;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::guests::SOLUTIONS;
use crate::step::{run, succeeds};
use crate::toolchain::apt_install;
use crate::workspace::Workspace;

/// A compiler that knows WebAssembly, and its linker `wasm-ld`.
const DEBIAN_C_PACKAGES: [&str; 2] = ["clang", "lld"];

/// The contract, and what its one world is called.
const CONTRACT: &str = "wit/thimble.wit";
const WORLD: &str = "solution";

/// The first 64 KiB are the stack, below the data, so that an overflow traps and overwrites nothing. No relaxed SIMD: the
/// clang of Debian 12 writes it with numbers from before it was standardised, and a fused multiply-add costs as much fuel
/// as the two operators it stands for.
const FLAGS: [&str; 17] = [
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
    "-Wl,--strip-all",
    "-Wl,--stack-first",
    "-Wl,-z,stack-size=65536",
    "-fno-builtin-memset",
];

/// Builds the component of `examples/solutions/NAME` from its `*.c` and returns where it is.
pub(crate) fn build(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    install_clang()?;
    let sources = workspace.path(SOLUTIONS).join(name);
    let build = workspace.target("guests/c").join(name);
    fs::create_dir_all(&build).with_context(|| format!("cannot create {}", build.display()))?;

    let contract = workspace.path(CONTRACT);
    let contract = fs::read_to_string(&contract).with_context(|| format!("cannot read {}", contract.display()))?;
    write_bindings(&contract, &build).context("cannot make C bindings of the contract")?;

    let core = build.join("core.wasm");
    let mut clang = Command::new("clang");
    clang.args(FLAGS).arg("-I").arg(&build).arg("-I").arg(sources.join("libc"));
    clang.args(c_files(&sources)?).args(c_files(&sources.join("libc"))?).arg(build.join(format!("{WORLD}.c")));
    run(clang.arg("-o").arg(&core))?;

    let module = fs::read(&core).with_context(|| format!("cannot read {}", core.display()))?;
    let component = workspace.target("guests/c").join(name).with_extension("wasm");
    fs::write(&component, encode(module, &contract)?)
        .with_context(|| format!("cannot write {}", component.display()))?;
    Ok(component)
}

/// Finds or installs clang and its linker.
pub(crate) fn install_clang() -> Result<()> {
    let tools =
        || succeeds(Command::new("clang").arg("--version")) && succeeds(Command::new("wasm-ld").arg("--version"));
    if !tools() {
        apt_install(&DEBIAN_C_PACKAGES, &[])?;
    }
    if !tools() {
        bail!("clang or wasm-ld is still missing: {}", DEBIAN_C_PACKAGES.join(", "));
    }
    Ok(())
}

/// Writes `solution.h` and `solution.c`.
fn write_bindings(contract: &str, directory: &Path) -> Result<()> {
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let package = resolve.push_str("thimble.wit", contract)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    let mut files = Files::default();
    // The type of the component is added by `encode`, not by an object file.
    let options = wit_bindgen_c::Opts { no_object_file: true, ..Default::default() };
    options.build().generate(&mut resolve, world, &mut files)?;
    for (name, bytes) in files.iter() {
        let path = directory.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// All C sources of a directory, in the order of their names.
fn c_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", directory.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The component of a core module that speaks the canonical ABI.
fn encode(mut module: Vec<u8>, contract: &str) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("thimble.wit", contract)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
