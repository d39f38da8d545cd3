//! Leaderboards: in parts, as of a version, as a table, for whoever has results on them.

use serde_json::{Value, json};
use thimble_challenge::Verdict;

use crate::world::World;

/// Builders with one result each: the rmse of builder i is i tenths, at 100 − i FLOPs.
async fn field(world: &World, builders: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for i in 1..=builders {
        let token = world.builder(&format!("builder-{i}")).await;
        world.submit("open", &token, "official").await;
        world.finish_next(Verdict::Scored, i as f64 / 10.0, 100.0 - i as f64).await;
        tokens.push(token);
    }
    tokens
}

fn ranks(board: &Value) -> Vec<(u64, String)> {
    let row = |row: &Value| (row["rank"].as_u64().unwrap(), row["who"]["builder"].as_str().unwrap().to_owned());
    board["rows"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn the_board_comes_in_parts_and_every_row_once() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    field(&world, 5).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/challenges/open/leaderboard?limit=2{after}");
        let board = world.get(&path, None).await.expect(200).json();
        assert_eq!((board["total"].clone(), board["first"].as_u64()), (json!(5), Some(seen.len() as u64)));
        seen.extend(ranks(&board));
        match board["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // Less is better.
    let expected: Vec<_> = (1..=5).map(|i| (i, format!("builder-{i}"))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_kept_rows_decide_when_the_challenge_closes() {
    let world = World::new().await;
    world.challenge("open", |draft| draft["release"]["shown_share"] = json!(0.25)).await;
    let tokens = field(&world, 3).await;
    let path = "/api/v1/challenges/open/leaderboard";
    let before = world.get(path, None).await.expect(200).json();
    assert_eq!((&before["shown_share"], &before["frozen"]), (&json!(0.25), &json!(false)));
    assert_eq!(ranks(&before)[0].1, "builder-1");
    let page = world.get("/challenges/open", None).await.expect(200).text();
    assert!(page.contains("Metrics are of 25 % of the test rows."), "{page}");

    world.post("/api/v1/operator/challenges/open/close", &world.operator).await.expect(200);
    let after = world.get(path, None).await.expect(200).json();
    assert_eq!((&after["shown_share"], &after["frozen"]), (&json!(null), &json!(true)));
    assert_eq!(ranks(&after)[0].1, "builder-3");
    assert_eq!(after["rows"][0]["metrics"]["rmse"]["value"], json!(1.0 - 0.3));
    // Each builder is told the same.
    let own = world.get("/api/v1/submissions", Some(&tokens[2])).await.expect(200).json();
    assert!(own.to_string().contains(&format!("{}", 1.0 - 0.3)), "{own}");
    // What was shown before can be looked at still, as what it was.
    let then = world.get(&format!("{path}?version={}", before["version"]), None).await.expect(200).json();
    assert_eq!((&then["shown_share"], ranks(&then)), (&json!(0.25), ranks(&before)));
}

#[tokio::test]
async fn an_earlier_version_shows_what_was_known_then() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    field(&world, 2).await;
    let path = "/api/v1/challenges/open/leaderboard";
    let before = world.get(path, None).await.expect(200).json();
    let version = before["version"].as_u64().unwrap();
    let token = world.builder("late").await;
    world.submit("open", &token, "official").await;
    world.finish_next(Verdict::Scored, 0.01, 50.0).await;
    let now = world.get(path, None).await.expect(200).json();
    assert_eq!(ranks(&now)[0].1, "late");
    let then = world.get(&format!("{path}?version={version}"), None).await.expect(200).json();
    assert_eq!(ranks(&then), ranks(&before));
    assert_eq!(then["changed_at"], before["changed_at"]);
    assert_eq!(world.get(&format!("{path}?version=0"), None).await.expect(200).json()["total"], 0);
    world.get(&format!("{path}?version={}", now["version"].as_u64().unwrap() + 1), None).await.expect(404);
}

#[tokio::test]
async fn a_withdrawn_result_leaves_the_board_and_comes_back() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let tokens = field(&world, 2).await;
    let id =
        world.get("/api/v1/submissions", Some(&tokens[0])).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = "/api/v1/challenges/open/leaderboard";
    world.post(&format!("/api/v1/operator/submissions/{id}/withdraw"), &world.operator).await.expect(200);
    assert_eq!(ranks(&world.get(path, None).await.json()), [(1, "builder-2".to_owned())]);
    world.get(&format!("/api/v1/submissions/{id}"), None).await.expect(404);
    world.post(&format!("/api/v1/operator/submissions/{id}/reinstate"), &world.operator).await.expect(200);
    assert_eq!(ranks(&world.get(path, None).await.json())[0].1, "builder-1");
}

#[tokio::test]
async fn own_points_are_marked_for_their_builder_alone() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let tokens = field(&world, 3).await;
    let own = async |token: Option<&str>| {
        let board = world.get("/api/v1/challenges/open/leaderboard", token).await.expect(200).json();
        let points = board["points"].as_array().unwrap().clone();
        let of = |point: &Value| {
            point["own"].as_bool().unwrap().then(|| point["who"]["builder"].as_str().unwrap().to_owned())
        };
        points.iter().filter_map(of).collect::<Vec<_>>()
    };
    // In any order: what was made for one must not be shown to the next.
    assert_eq!(own(Some(&tokens[0])).await, ["builder-1"]);
    assert_eq!(own(None).await, [""; 0]);
    assert_eq!(own(Some(&tokens[1])).await, ["builder-2"]);
    assert_eq!(own(Some(&world.operator)).await, [""; 0]);
    assert_eq!(own(Some(&tokens[0])).await, ["builder-1"]);
}

#[tokio::test]
async fn the_table_and_the_distribution_say_the_same_as_the_board() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    field(&world, 3).await;
    let csv = world.get("/api/v1/challenges/open/leaderboard.csv", None).await.expect(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text().lines().count(), 4);
    assert!(csv.text().lines().nth(1).unwrap().starts_with("1,ranked,builder-1"), "{}", csv.text());
    let spread = world.get("/api/v1/challenges/open/distribution/rmse", None).await.expect(200).json();
    assert_eq!(
        (spread["count"].clone(), spread["min"].clone(), spread["max"].clone()),
        (json!(3), json!(0.1), json!(0.3))
    );
    let empty = World::new().await;
    empty.challenge("open", |_| {}).await;
    let spread = empty.get("/api/v1/challenges/open/distribution/score", None).await.expect(200).json();
    assert_eq!((spread["count"].clone(), spread["histogram"].clone()), (json!(0), json!([])));
}

#[tokio::test]
async fn a_better_result_replaces_the_last_and_a_worse_one_does_not() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let row = async || world.get("/api/v1/challenges/open/leaderboard", None).await.json()["rows"][0].clone();
    for (metric, best, submissions) in [(0.5, 0.5, 1), (0.3, 0.3, 2), (0.4, 0.3, 3)] {
        world.submit("open", &token, "official").await;
        world.finish_next(Verdict::Scored, metric, 100.0).await;
        let row = row().await;
        assert_eq!((row["score"].clone(), row["submissions"].clone()), (json!(best), json!(submissions)));
    }
}
