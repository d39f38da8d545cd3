//! A headless Chromium, driven by the WebDriver protocol (W3C).

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thimble_tests::evaluation::products;

/// The key of an element's reference, as the protocol names it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
#[derive(Debug)]
pub(super) struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    _profile: TempDir,
}

impl Browser {
    /// A window of so many pixels; with or without JavaScript.
    pub(super) fn open(width: u32, height: u32, javascript: bool) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it has one").port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: `cargo xtask setup` installs it");
        let profile = TempDir::new().expect("a temporary directory");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        let mut browser = Self { driver, session: String::new(), agent: config.new_agent(), _profile: profile };
        let root = format!("http://127.0.0.1:{port}");
        let start = Instant::now();
        while browser.agent.get(format!("{root}/status")).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "chromedriver does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        let mut arguments: Vec<String> = [
            "--headless=new",
            // The tests run as root in a container, where Chromium has no sandbox of its own.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        arguments.push(format!("--window-size={width},{height}"));
        let script = if javascript { 1 } else { 2 };
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {"profile.managed_default_content_settings.javascript": script},
            },
        }}});
        let answer = browser.send(&format!("{root}/session"), &capabilities);
        let id = answer["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
        browser.session = format!("{root}/session/{id}");
        // What is looked for may be on a page that is still on its way.
        browser.post("timeouts", &json!({"implicit": 10_000}));
        browser
    }

    /// Goes to an address and waits for the page.
    pub(super) fn go(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// The text that a reader sees.
    pub(super) fn text(&self) -> String {
        let body = self.find("body");
        self.get(&format!("element/{body}/text")).as_str().unwrap_or_default().to_owned()
    }

    /// The address of the page.
    pub(super) fn url(&self) -> String {
        self.get("url").as_str().unwrap_or_default().to_owned()
    }

    /// Types into a field.
    pub(super) fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// Clicks, and waits for the page that it leads to.
    pub(super) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// How many elements there are.
    pub(super) fn count(&self, selector: &str) -> usize {
        let found = self.post("elements", &json!({"using": "css selector", "value": selector}));
        found.as_array().map_or(0, Vec::len)
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, expression: &str) -> Value {
        self.post("execute/sync", &json!({"script": format!("return {expression};"), "args": []}))
    }

    /// What the page complained about since the last time: refused by the content-security policy, errors of scripts.
    pub(super) fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps a picture of the window for whoever wants to look: `target/pages/NAME.png`.
    pub(super) fn picture(&self, name: &str) {
        use base64::Engine as _;
        let picture = self.get("screenshot");
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap_or_default());
        let directory = products().join("pages");
        fs::create_dir_all(&directory).expect("target can be written");
        fs::write(directory.join(name).with_extension("png"), bytes.expect("base64")).expect("target can be written");
    }

    fn find(&self, selector: &str) -> String {
        let found = self.post("element", &json!({"using": "css selector", "value": selector}));
        let id = found[ELEMENT].as_str();
        id.unwrap_or_else(|| panic!("{selector} is not on {}: {found}", self.url())).to_owned()
    }

    fn get(&self, command: &str) -> Value {
        let mut answer = self.agent.get(format!("{}/{command}", self.session)).call().expect("chromedriver answers");
        answer.body_mut().read_json::<Value>().expect("JSON")["value"].take()
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.send(&format!("{}/{command}", self.session), body)
    }

    fn send(&self, url: &str, body: &Value) -> Value {
        let mut answer = self.agent.post(url).send_json(body).expect("chromedriver answers");
        answer.body_mut().read_json::<Value>().expect("JSON")["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.agent.delete(&self.session).call();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Whether a file is a picture that is not of one colour: what a page that did not render looks like.
pub(super) fn shows_something(name: &str) -> bool {
    let path = products().join("pages").join(Path::new(name).with_extension("png"));
    // One colour compresses to nearly nothing.
    fs::metadata(path).is_ok_and(|file| file.len() > 10_000)
}
