//! A copy of a running service is the service.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use thimble_api::id::ChallengeName;
use thimble_api::submission::ListQuery;
use thimble_challenge::result::Mode;
use thimble_client::{Client, IdempotencyKey, NewSubmission};

use super::site::{self, Site, succeeds};

#[test]
fn a_backup_of_a_running_service_is_the_service() {
    let site = Site::new();
    let served = site.serve_corners("--workers 1 --no-rate-limits");
    let token = site.token("builder", "builder");
    let client = served.client(&token);
    for index in 0..3 {
        submit(&client, index);
    }
    wait(&client, 3);
    let board = client.leaderboard(&corners(), &Default::default()).expect("a board").json;
    // One more is on its way while the copy is made.
    submit(&client, 3);
    fs::create_dir(site.path("backup")).expect("a directory");
    site.thimble("backup backup/thimble.sqlite --data data");
    succeeds(Command::new("cp").arg("-r").arg(site.path("data/artifacts")).arg(site.path("backup/artifacts")));
    served.process.kill();
    fs::remove_dir_all(site.path("data")).expect("it is gone");

    fs::rename(site.path("backup"), site.path("data")).expect("moved");
    succeeds(Command::new("chmod").arg("-R").arg("go-rwx").arg(site.path("data")));
    let served = site.serve("--workers 1 --lease 1 --no-rate-limits");
    let client = served.client(&token);
    wait(&client, 4);
    let version = serde_json::from_str::<serde_json::Value>(&board).expect("JSON")["version"].as_u64();
    let query = thimble_api::leaderboard::LeaderboardQuery { version, ..Default::default() };
    let restored = client.leaderboard(&corners(), &query).expect("a board").json;
    assert_eq!(rows(&restored), rows(&board), "the board as of the copy's version");
    served.process.stop();
}

fn rows(board: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(board).expect("JSON")["rows"].take()
}

fn corners() -> ChallengeName {
    site::CORNERS.parse().expect("a name")
}

fn submit(client: &Client, index: u32) {
    let (package, key) = (site::corners_component(index), IdempotencyKey::fresh());
    let new = NewSubmission { package: &package, mode: Mode::Official, note: "", key: &key, again: false };
    client.submit(&corners(), &new).expect("it is accepted");
}

fn wait(client: &Client, count: usize) {
    for _ in 0..600 {
        let list = client.submissions(&ListQuery::default()).expect("the service answers").value.items;
        assert_eq!(list.len(), count, "{list:#?}");
        if list.iter().all(|submission| submission.run.is_finished()) {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("submissions do not end");
}
