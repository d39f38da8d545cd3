//! A data directory with datasets and a challenge, and the processes that serve it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use tempfile::TempDir;
use thimble_api::challenge::ServiceRules;
use thimble_api::draft::{Draft, NewDraft};
use thimble_api::id::ChallengeName;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{Quotas, ReleaseRule, Visibility};
use thimble_client::{Client, Server, Token};
use thimble_datasets::{OperatorSecret, Tables};
use thimble_tests::evaluation::{open_directory, products, thimble};
use thimble_tests::fixture;
use thimble_tests::template::returns_parameters;

/// How long a process may take to be there on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// The challenge of [`Site::serve_corners`]: an evaluation takes milliseconds.
pub(super) const CORNERS: &str = "four-corners";

/// What a service remembers, and what its operator holds.
#[derive(Debug)]
pub(super) struct Site {
    directory: TempDir,
}

/// A process that is killed when the test ends, however it ends.
#[derive(Debug)]
pub(super) struct Process(Child);

/// A running service.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) process: Process,
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
}

impl Site {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `thimble WORDS` beside the data directory, with a home of its own.
    pub(super) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(thimble());
        command.args(words.split_whitespace());
        self.place(&mut command);
        command
    }

    /// Lets a command run beside the data directory, with a home of its own.
    pub(super) fn place(&self, command: &mut Command) {
        command.current_dir(self.directory.path());
        command.env("THIMBLE_CACHE", products().join("cache")).env("THIMBLE_LOG", "warn");
        command.env("XDG_CONFIG_HOME", self.path("config")).env_remove("THIMBLE_TOKEN").env_remove("THIMBLE_SERVER");
    }

    /// What `thimble WORDS` prints.
    pub(super) fn thimble(&self, words: &str) -> String {
        succeeds(&mut self.command(words))
    }

    /// A token for an account.
    pub(super) fn token(&self, account: &str, scope: &str) -> String {
        self.thimble(&format!("token create {account} --scope {scope} --data data")).trim().to_owned()
    }

    /// Serves the data directory on a free port.
    pub(super) fn serve(&self, options: &str) -> Served {
        self.serve_on("127.0.0.1:0", options)
    }

    /// Serves the data directory on a port that clients know.
    pub(super) fn serve_on(&self, address: &str, options: &str) -> Served {
        self.serve_by(&mut self.command(&format!("serve --data data --listen {address} {options}")))
    }

    /// Serves by a command, which ends in one that serves.
    pub(super) fn serve_by(&self, command: &mut Command) -> Served {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("thimble starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut said = String::new();
        let url = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the service ended: {said}")).expect("text");
            if let Some(url) = line.strip_prefix("thimble listens on ") {
                break url.to_owned();
            }
            said += &line;
        };
        // A pipe that nobody reads fills up. What is said later belongs to the test's output.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("serve: {line}")));
        Served { process: Process(child), url }
    }

    /// As [`serve`](Self::serve), with the challenge [`CORNERS`] on data of its own.
    pub(super) fn serve_corners(&self, options: &str) -> Served {
        for (name, official) in [("corners-public", false), ("corners-official", true)] {
            fs::create_dir(self.path(name)).expect("a directory");
            write_corners(&open_directory(&self.path(name)), official);
            self.thimble(&format!("dataset register {name} --name {name} --data data"));
        }
        let operator = self.token("operator", "operator");
        let served = self.serve(options);
        let rules = fixture::challenge();
        let datasets = ("corners-public", "corners-official");
        publish(&served.client(&operator), CORNERS, &rules, datasets, Visibility::Public, |draft| {
            draft.quotas = Quotas { official_per_day: 1_000, validation_per_day: 10_000 };
            draft.rules.concurrency = 4;
            // The same rows in both: a practice challenge.
            draft.practice = true;
        });
        served
    }

    /// Evaluates the data directory's submissions beside the service.
    pub(super) fn worker(&self, options: &str) -> Process {
        Process::start(&mut self.command(&format!("worker --data data {options}")))
    }
}

impl Process {
    /// A process whose output is nobody's.
    pub(super) fn start(command: &mut Command) -> Self {
        Self::of(command.stdout(Stdio::null()).spawn().expect("it starts"))
    }

    /// A process that was started.
    pub(super) fn of(child: Child) -> Self {
        Self(child)
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL, and gone.
    pub(super) fn kill(mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it is ours");
    }

    /// SIGTERM, and gone by itself.
    pub(super) fn stop(mut self) {
        self.ask_to_stop();
    }

    /// As [`stop`](Self::stop), of a process that is replaced.
    pub(super) fn ask_to_stop(&mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there").success());
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().expect("it is ours") {
                assert!(status.success(), "{status}");
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the process does not stop");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Served {
    /// A client of this service.
    pub(super) fn client(&self, token: &str) -> Client {
        client(&self.url, token)
    }
}

/// A client with a token.
pub(super) fn client(url: &str, token: &str) -> Client {
    let server: Server = url.parse().expect("an address");
    Client::new(server).with_token(token.parse::<Token>().expect("a token"))
}

/// Publishes the rules of an example challenge under `name` on two registered datasets. Results are released at once.
pub(super) fn publish(
    operator: &Client,
    name: &str,
    rules_of: &Challenge,
    datasets: (&str, &str),
    visibility: Visibility,
    change: impl FnOnce(&mut Draft),
) {
    let name: ChallengeName = name.parse().expect("a name");
    let new = NewDraft { name: name.clone(), title: rules_of.title.clone() };
    let made = operator.new_draft(&new).expect("the draft is made").value;
    let mut draft = Draft {
        title: rules_of.title.clone(),
        summary: rules_of.summary.clone(),
        keywords: rules_of.keywords.clone(),
        visibility,
        public_dataset: Some(datasets.0.parse().expect("a name")),
        official_dataset: Some(datasets.1.parse().expect("a name")),
        metric: Some(rules_of.ranking.metric.clone()),
        score: Some(rules_of.score.clone()),
        tie_breaks: Some(rules_of.ranking.tie_breaks.clone()),
        description: "# The task\n\nTell the classes apart.\n".to_owned(),
        limits: Some(rules_of.limits.clone()),
        release: ReleaseRule { tick_seconds: 0, ..rules_of.release.clone() },
        quotas: Quotas::default(),
        rules: ServiceRules::default(),
        seed: rules_of.seed,
        ..Draft::default()
    };
    change(&mut draft);
    let saved = operator.put_draft(&name, &draft, made.revision).expect("the draft is saved").value;
    assert_eq!(saved.faults, [], "nothing is missing");
    operator.publish(&name).expect("it is published");
}

/// An example challenge.
pub(super) fn example(name: &str) -> Challenge {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/challenges").join(name).join("challenge.json");
    serde_json::from_slice(&std::fs::read(path).expect("the example is there")).expect("a challenge")
}

/// Runs a command that must succeed.
pub(super) fn succeeds(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must fail, and what it says.
pub(super) fn fails(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(!output.status.success(), "{command:?} succeeds");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that reads a secret.
pub(super) fn with_input(command: &mut Command, input: &str) -> String {
    use std::io::Write as _;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
    let status = child.wait().expect("it ends");
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("it is piped").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("it is piped").read_to_string(&mut err).expect("text");
    assert!(status.success(), "{command:?}\n{out}\n{err}");
    out
}

fn write_corners(directory: &Dir, official: bool) {
    let mut tables = fixture::tables();
    if official {
        tables.name = "four-corners-official".into();
    }
    write_dataset(directory, &tables, official);
}

fn write_dataset(directory: &Dir, tables: &Tables, official: bool) {
    if official {
        let secret = OperatorSecret { commitment_salt: [1; 32], permutation_key: [2; 32] };
        secret.write(directory).expect("written");
    }
    thimble_datasets::write(directory, tables).expect("written");
}

/// Writes a dataset beside the data directory and registers it under the same name.
pub(super) fn write_tables(site: &Site, name: &str, tables: &Tables, official: bool) {
    fs::create_dir(site.path(name)).expect("a directory");
    write_dataset(&open_directory(&site.path(name)), tables, official);
    site.thimble(&format!("dataset register {name} --name {name} --data data"));
}

/// A small component, another for each index.
pub(super) fn corners_component(index: u32) -> Vec<u8> {
    numbered(returns_parameters(4).component(), index)
}

/// The component with a custom section at its end: another for each index.
pub(super) fn numbered(mut component: Vec<u8>, index: u32) -> Vec<u8> {
    // Section 0, its size, the name `n` with its length, and the number.
    component.extend([0, 6, 1, b'n']);
    component.extend(index.to_le_bytes());
    component
}
