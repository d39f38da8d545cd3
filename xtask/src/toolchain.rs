//! Where compilers come from: rustup, or Debian's own packages where rustup's server cannot be reached.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{capture, run, step, succeeds};
use crate::workspace::Workspace;

/// What guests are compiled to.
pub(crate) const GUEST_TARGET: &str = "wasm32-wasip2";

/// What the second host is compiled to.
pub(crate) const ARM64_TARGET: &str = "aarch64-unknown-linux-gnu";

/// Debian's Rust for the web: a compiler, its standard library as source, a wasm linker and the WASI libc.
const DEBIAN_GUEST_PACKAGES: [&str; 6] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22", "wasi-libc"];

/// A cross linker, a C library to link with, and an emulator.
const DEBIAN_ARM64_PACKAGES: [&str; 3] = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"];

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SELF_CONTAINED: &str = "/usr/lib/rustlib/wasm32-wasip2/lib/self-contained";
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// The choice on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum GuestToolchain {
    /// What is installed, then rustup, then Debian.
    #[default]
    Auto,
    /// The ordinary toolchain with rustup's precompiled standard library.
    Rustup,
    /// Debian's compiler, building the standard library from its source.
    Debian,
}

/// The answer: what builds guests here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// The `cargo` that runs this, with an installed standard library for the target.
    Precompiled,
    /// `/usr/bin/cargo -Zbuild-std`.
    BuildStd,
}

impl Route {
    /// The compiler that [`Self::cargo`] runs.
    pub(crate) fn rustc(self) -> Command {
        Command::new(match self {
            Self::Precompiled => "rustc",
            Self::BuildStd => DEBIAN_RUSTC,
        })
    }

    /// `cargo SUBCOMMAND` for `target` in `directory`, with the flags this route needs.
    pub(crate) fn cargo(self, workspace: &Workspace, directory: &Path, subcommand: &str, target: &str) -> Command {
        let mut command = match self {
            Self::Precompiled => {
                let mut command = workspace.cargo();
                command.arg(subcommand);
                command
            }
            Self::BuildStd if target == GUEST_TARGET => {
                let mut command = debian_cargo(subcommand, "std,panic_abort");
                let flags = format!("-Clink-arg={}", preview1(workspace).display());
                command.arg("--config").arg(format!("target.{target}.rustflags=[{flags:?}]"));
                command
            }
            Self::BuildStd => debian_cargo(subcommand, "std,panic_unwind"),
        };
        command.current_dir(directory).args(["--release", "--target", target]);
        if target == GUEST_TARGET {
            // These would replace the flags in the guest workspaces' own configuration.
            command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        }
        command
    }
}

/// Debian's cargo, building the parts `std` of the standard library from their source.
fn debian_cargo(subcommand: &str, std: &str) -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    // `cargo run` exports its own toolchain to its children.
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTDOC"] {
        command.env_remove(name);
    }
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", DEBIAN_RUSTC);
    command.arg(subcommand).arg(format!("-Zbuild-std={std}"));
    command
}

/// Where [`build_preview1`] leaves its object.
fn preview1(workspace: &Workspace) -> PathBuf {
    workspace.target("guests/preview1.o")
}

/// Debian's WASI libc speaks preview 1 and needs `xtask/preview1` in every guest.
fn build_preview1(workspace: &Workspace) -> Result<()> {
    let object = preview1(workspace);
    let mut cargo = debian_cargo("rustc", "core");
    cargo.current_dir(workspace.path("xtask/preview1")).env("CARGO_TARGET_DIR", workspace.target("guests"));
    cargo.args(["--release", "--quiet", "--target", GUEST_TARGET, "--"]);
    run(cargo.arg(format!("--emit=obj={}", object.display())))
}

/// Finds or installs what builds guests.
pub(crate) fn guest_route(workspace: &Workspace, choice: GuestToolchain) -> Result<Route> {
    step("guest toolchain", || match choice {
        GuestToolchain::Rustup if has_std(workspace, GUEST_TARGET) || rustup_adds(GUEST_TARGET) => {
            Ok(Route::Precompiled)
        }
        GuestToolchain::Rustup => bail!("`rustup target add {GUEST_TARGET}` failed; try `--guest-toolchain debian`"),
        GuestToolchain::Debian => debian_guest_route(workspace),
        GuestToolchain::Auto if has_std(workspace, GUEST_TARGET) || rustup_adds(GUEST_TARGET) => Ok(Route::Precompiled),
        GuestToolchain::Auto => debian_guest_route(workspace),
    })
}

/// Finds or installs what builds and runs the arm64 host.
pub(crate) fn arm64_route(workspace: &Workspace) -> Result<Route> {
    step("arm64 toolchain", || {
        let tools = || {
            succeeds(Command::new("aarch64-linux-gnu-gcc").arg("--version"))
                && succeeds(Command::new("qemu-aarch64").arg("--version"))
                && Path::new("/usr/aarch64-linux-gnu/lib").exists()
        };
        if !tools() {
            apt_install(&DEBIAN_ARM64_PACKAGES, &[])?;
        }
        if !tools() {
            bail!("the arm64 linker, C library or emulator is still missing: {}", DEBIAN_ARM64_PACKAGES.join(", "));
        }
        if has_std(workspace, ARM64_TARGET) || rustup_adds(ARM64_TARGET) {
            return Ok(Route::Precompiled);
        }
        install_debian_rust()?;
        Ok(Route::BuildStd)
    })
}

/// Whether the compiler of the `cargo` that runs this has a standard library for `target`.
fn has_std(workspace: &Workspace, target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace.root()).args(["--print", "target-libdir", "--target", target]);
    let Ok(directory) = capture(&mut rustc) else { return false };
    fs::read_dir(directory.trim())
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

/// `rustup target add`; false when there is no rustup or it cannot reach its server.
fn rustup_adds(target: &str) -> bool {
    run(Command::new("rustup").args(["target", "add", target])).is_ok()
}

fn debian_is_complete() -> bool {
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_SELF_CONTAINED].iter().all(|path| Path::new(path).exists())
        && succeeds(Command::new("dpkg").arg("-s").args(DEBIAN_GUEST_PACKAGES))
}

/// The recipe for a machine that reaches a Debian mirror but not rustup's server.
fn debian_guest_route(workspace: &Workspace) -> Result<Route> {
    install_debian_rust()?;
    build_preview1(workspace)?;
    Ok(Route::BuildStd)
}

fn install_debian_rust() -> Result<()> {
    if debian_is_complete() {
        return Ok(());
    }
    let link =
        format!("mkdir -p /usr/lib/rustlib/{GUEST_TARGET}/lib && ln -sfn {DEBIAN_WASI_LIBC} {DEBIAN_SELF_CONTAINED}");
    apt_install(&DEBIAN_GUEST_PACKAGES, &[&link])?;
    // rustc looks for the WASI start files among its own; Debian ships them with the C library.
    let self_contained = Path::new(DEBIAN_SELF_CONTAINED);
    if let Some(parent) = self_contained.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    if self_contained.symlink_metadata().is_ok_and(|data| data.is_symlink()) {
        fs::remove_file(self_contained).with_context(|| format!("cannot replace {DEBIAN_SELF_CONTAINED}"))?;
    }
    if !self_contained.exists() {
        symlink(DEBIAN_WASI_LIBC, self_contained).with_context(|| format!("cannot link {DEBIAN_SELF_CONTAINED}"))?;
    }
    if !debian_is_complete() {
        bail!("the Debian packages are installed, but {DEBIAN_CARGO} or {DEBIAN_RUSTC} is missing");
    }
    Ok(())
}

/// Installs Debian packages when this is Debian and we are root; otherwise says what to type.
pub(crate) fn apt_install(packages: &[&str], then: &[&str]) -> Result<()> {
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let is_debian = Path::new("/etc/debian_version").exists() && succeeds(Command::new("apt-get").arg("--version"));
    let is_root = capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !(is_debian && is_root) {
        let mut commands = vec!["apt-get update", &install];
        commands.extend(then);
        bail!(
            "packages are missing, and they are installed for you only on Debian as root; type this as root (or install \
             what corresponds to it on this system), then try again:\n  {}",
            commands.join("\n  ")
        );
    }
    run(Command::new("apt-get").arg("update").arg("--quiet"))?;
    run(Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(packages))
    .context("a guest toolchain from Debian needs the packages of Debian 12 with its security archive, or later")
}
