//! A private challenge from its draft to its leaderboard, by the commands and pages that people use.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use thimble_api::account::InviteRequest;
use thimble_api::id::ChallengeName;
use thimble_challenge::challenge::Visibility;
use thimble_client::Client;

use super::browser::{Browser, shows_something};
use super::site::{self, Served, Site};
use thimble_tests::evaluation::product;

const CHALLENGE: &str = "frugal-classes";

/// A service with a private challenge on imagenet-pareto data, an official dataset of its own, and an operator.
struct Contest {
    site: Site,
    served: Served,
    operator_token: String,
}

impl Contest {
    fn new() -> Self {
        let site = Site::new();
        let seed: Vec<u8> = (0..32).collect();
        std::fs::write(site.path("seed"), seed).expect("written");
        site.thimble("dataset generate imagenet-pareto --canonical --out public");
        site.thimble("dataset generate imagenet-pareto --seed-file seed --out official");
        site.thimble("dataset register public --name pareto-public --data data");
        site.thimble("dataset register official --name pareto-official --data data");
        let operator_token = site.token("olga", "operator");
        let served = site.serve("--workers 1 --no-rate-limits");
        let contest = Self { site, served, operator_token };
        let rules = site::example("imagenet-pareto-500k");
        let datasets = ("pareto-public", "pareto-official");
        site::publish(&contest.operator(), CHALLENGE, &rules, datasets, Visibility::Private, |_| ());
        contest
    }

    fn operator(&self) -> Client {
        self.served.client(&self.operator_token)
    }

    fn name(&self) -> ChallengeName {
        CHALLENGE.parse().expect("a name")
    }

    /// Invites someone, who joins with a new account through the command line.
    fn join(&self, account: &str, team: &str) {
        let request = InviteRequest { label: format!("{account} of {team}"), budget: None, expires_at: None };
        let code = self.operator().invite(&self.name(), &request).expect("the operator invites").value.code;
        let words = format!("login --server {} --invite --account {account} --team {team}", self.served.url);
        site::with_input(self.of(account, &words).env_remove("THIMBLE_TOKEN"), &format!("{code}\n"));
    }

    /// `thimble WORDS` as an account, which has a home of its own.
    fn of(&self, account: &str, words: &str) -> std::process::Command {
        let mut command = self.site.command(words);
        command.env("XDG_CONFIG_HOME", self.site.path(&format!("home-{account}")));
        command
    }

    fn json(&self, account: &str, words: &str) -> Value {
        serde_json::from_str(&site::succeeds(&mut self.of(account, words))).expect("JSON")
    }

    fn submit(&self, account: &str, solution: &str, mode: &str) -> Value {
        let package = product(&format!("examples/{solution}.zip"));
        let words = format!("submit {} --challenge {CHALLENGE} --mode {mode} --json", package.display());
        self.json(account, &words)["submission"].take()
    }
}

#[test]
fn a_private_challenge_from_draft_to_leaderboard() {
    let contest = Contest::new();
    contest.join("ada", "vision");
    contest.join("bob", "robots");

    let validation = contest.submit("ada", "centroid", "validation");
    assert_eq!(validation["run"]["status"]["verdict"], "scored", "{validation}");
    // The canonical data's accuracy: 1014 of 1024, as in the reference table.
    assert_eq!(validation["run"]["status"]["metrics"]["accuracy"]["value"], 0.990_234_375);
    let centroid = contest.submit("ada", "centroid", "official");
    let mlp = contest.submit("bob", "mlp", "official");
    for official in [&centroid, &mlp] {
        let status = official["run"]["status"].as_object().expect("an object");
        assert_eq!(status["ending"], "published", "{official}");
        for secret in ["metrics", "curves", "seconds", "phase", "fuel_used", "peak_memory_bytes"] {
            assert!(!status.contains_key(secret), "{secret}: {official}");
        }
    }

    let board = contest.json("ada", &format!("leaderboard {CHALLENGE} --json"));
    let rows = board["rows"].as_array().expect("rows");
    let of = |row: &Value| row["who"]["builder"].as_str().unwrap_or_default().to_owned();
    assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), ["ada", "bob"]);
    assert_eq!((&rows[0]["rank"], &rows[1]["rank"]), (&1.into(), &2.into()));
    // Class means are better and cheaper: they alone are on the frontier.
    assert_eq!((&rows[0]["on_frontier"], &rows[1]["on_frontier"]), (&true.into(), &false.into()));
    assert_eq!(rows[1]["dominated_by"], "ada");
    let frontier = board["frontier"].as_array().expect("a frontier");
    assert_eq!(frontier.iter().map(of).collect::<Vec<_>>(), ["ada"]);
    assert_eq!(rows[0]["score"], centroid["run"]["status"]["figures"]["score"]);

    // The same bytes again have the same result: they are pointed to it and cost nothing.
    let package = product("examples/mlp.zip");
    let words = format!("submit {} --challenge {CHALLENGE} --mode official", package.display());
    let refused = site::fails(&mut contest.of("bob", &words));
    assert!(refused.contains(mlp["id"].as_str().expect("an id")), "{refused}");

    who_is_not_invited_sees_nothing(&contest, centroid["id"].as_str().expect("an id"));
    if std::env::var_os("THIMBLE_NO_BROWSER").is_none() {
        pages_show_it(&contest, centroid["id"].as_str().expect("an id"));
    }
    contest.served.process.stop();
}

fn who_is_not_invited_sees_nothing(contest: &Contest, submission: &str) {
    let token = contest.site.token("eve", "builder");
    let eve = |words: &str| {
        let mut command = contest.of("eve", words);
        command.env("THIMBLE_SERVER", &contest.served.url).env("THIMBLE_TOKEN", &token);
        command
    };
    let absent = site::fails(&mut eve("leaderboard no-such-challenge"));
    let hidden = site::fails(&mut eve(&format!("leaderboard {CHALLENGE}")));
    // All but the request's id.
    let shown = |text: &str| text.split(", request ").next().map(str::to_owned);
    assert_eq!(shown(&hidden), shown(&absent), "what is hidden looks like what is not there");
    site::fails(&mut eve(&format!("status {submission}")));
    site::fails(&mut eve(&format!("logs {submission}")));
    site::fails(&mut eve(&format!("cancel {submission}")));
    let package = product("examples/centroid.zip");
    site::fails(&mut eve(&format!("submit {} --challenge {CHALLENGE}", package.display())));
    let listed = contest.served.client(&token).challenges(&Default::default()).expect("a list").value;
    assert_eq!(listed.items, []);
}

fn pages_show_it(contest: &Contest, submission: &str) {
    let url = |path: &str| format!("{}{path}", contest.served.url);
    let challenge = format!("/challenges/{CHALLENGE}");
    let ada = contest.site.token("ada", "builder");
    for (name, width, height, javascript) in
        [("desktop", 1280, 1600, true), ("phone", 400, 900, true), ("no-javascript", 1280, 1600, false)]
    {
        let browser = Browser::open(width, height, javascript);
        browser.go(&url(&challenge));
        assert!(!browser.text().contains("vision"), "it is private");
        sign_in(&browser, &url("/login"), &ada);
        browser.go(&url(&challenge));
        let text = browser.text();
        for part in ["ada", "bob", "vision", "robots", "kFLOP", "Accuracy ↑", "regulatory"] {
            assert!(text.contains(part), "{part} is not on the {name} leaderboard: {text}");
        }
        assert!(browser.count("svg") >= 1, "the frontier is drawn");
        browser.picture(&format!("{name}-leaderboard"));
        if javascript {
            let wider = browser.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1");
            assert_eq!(wider, false, "nothing sticks out of the {name} window");
        }
        for tab in ["description", "training", "submissions"] {
            browser.go(&url(&format!("{challenge}/{tab}")));
            browser.picture(&format!("{name}-{tab}"));
            assert!(shows_something(&format!("{name}-{tab}")), "{tab}");
        }
        browser.go(&url(&format!("/submissions/{submission}")));
        assert!(browser.text().contains("centroid"), "{}", browser.text());
        browser.picture(&format!("{name}-submission"));
        let complaints = browser.complaints();
        let expected = |message: &String| message.contains("404") || message.contains("[DOM] Password forms");
        let others: Vec<_> = complaints.iter().filter(|message| !expected(message)).collect();
        assert!(others.is_empty(), "{others:#?}");
    }
    let operator = Browser::open(1280, 1600, true);
    sign_in(&operator, &url("/login"), &contest.operator_token);
    operator.go(&url(&format!("{challenge}/monitor")));
    let text = operator.text();
    for part in ["vision", "robots", "200 PF", "€"] {
        assert!(text.contains(part), "{part} is not on the monitor: {text}");
    }
    operator.picture("desktop-monitor");
    operator.go(&url("/operator"));
    operator.picture("desktop-operator");
}

fn sign_in(browser: &Browser, page: &str, token: &str) {
    browser.go(page);
    browser.type_into("input[name=token]", token);
    browser.click("main form button");
    // The answer to the form leads to another page.
    let start = Instant::now();
    while browser.url().ends_with("/login") {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", browser.text());
        thread::sleep(Duration::from_millis(50));
    }
}
