//! `cargo xtask schemathesis`: the service against its own OpenAPI document.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::examples;
use crate::step::{capture, run, step};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;

/// What is asked with: https://pypi.org/project/schemathesis/
const VERSION: &str = "schemathesis==4.32.5";

/// Sets everything up, serves a challenge, and sends thousands of generated requests: no answer may be a 5xx or differ from
/// the document.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Seconds to go on for
    #[arg(long, value_name = "N", default_value_t = 200)]
    seconds: u32,
}

/// The service, ended with this task.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        examples::set_up(workspace, choice)?;
        let home = workspace.target("schemathesis");
        let program = step("schemathesis", || install(&home))?;
        let data = home.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        }
        let token = |account: &str, scope: &str| -> Result<String> {
            let mut make = Command::new(workspace.thimble());
            Ok(capture(make.args(["token", "create", account, "--scope", scope, "--data"]).arg(&data))?
                .trim()
                .to_owned())
        };
        let mut register = Command::new(workspace.thimble());
        register.args(["dataset", "register"]).arg(workspace.target("datasets/imagenet-pareto-canonical"));
        run(register.args(["--name", "pareto-public", "--data"]).arg(&data))?;
        let (operator, builder) = (token("operator", "operator")?, token("builder", "builder")?);
        let (_served, url) = serve(workspace, &data)?;
        for (who, token) in [("an operator", Some(operator)), ("a builder", Some(builder)), ("anyone", None)] {
            step(&format!("as {who}"), || {
                let mut ask = Command::new(&program);
                ask.arg("run").arg(format!("{url}/api/openapi.json")).args(["--url", &url, "--seed", "1"]);
                ask.args(["--continue-on-failure", "--max-time", &(self.seconds / 3).to_string()]);
                // A stream has no end, and the token that asks must outlive the asking. Rules that no schema can say (a name that
                // is taken, a date that has passed) refuse what the schema allows.
                ask.args(["--exclude-path-regex", "events|tokens/r", "--exclude-checks", "positive_data_acceptance"]);
                if let Some(token) = &token {
                    ask.arg("-H").arg(format!("Authorization: Bearer {token}"));
                }
                run(ask.current_dir(&home))
            })?;
        }
        Ok(())
    }
}

/// A virtual environment under target/.
fn install(home: &Path) -> Result<std::path::PathBuf> {
    let venv = home.join("venv");
    let program = venv.join("bin/schemathesis");
    if !program.exists() {
        fs::create_dir_all(home).with_context(|| format!("cannot create {}", home.display()))?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", VERSION]))?;
    }
    Ok(program)
}

fn serve(workspace: &Workspace, data: &Path) -> Result<(Served, String)> {
    let mut command = Command::new(workspace.thimble());
    command.args(["serve", "--listen", "127.0.0.1:0", "--no-rate-limits", "--data"]).arg(data);
    let mut child =
        command.env("THIMBLE_LOG", "warn").stderr(Stdio::piped()).spawn().context("the service does not start")?;
    let stderr = child.stderr.take().context("its output is not piped")?;
    let served = Served(child);
    let mut lines = BufReader::new(stderr).lines();
    let url = loop {
        match lines.next() {
            Some(line) => match line?.strip_prefix("thimble listens on ") {
                Some(url) => break url.to_owned(),
                None => continue,
            },
            None => bail!("the service ended"),
        }
    };
    // A pipe that nobody reads fills up.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
    Ok((served, url))
}
