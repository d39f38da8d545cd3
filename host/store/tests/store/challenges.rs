use std::sync::Arc;

use bytes::Bytes;
use thimble_api::ErrorCode;
use thimble_api::account::{JoinRequest, Scope};
use thimble_api::challenge::{ServiceRules, Stage};
use thimble_api::draft::{Draft, NewDraft};
use thimble_challenge::challenge::Visibility;
use thimble_challenge::composite::Anchors;
use thimble_store::{Actor, Cover, Principal};

use crate::fixture::{Service, at, in_force, refused};

async fn listed(service: &Service, viewer: Option<&Principal>, drafts: bool) -> Vec<String> {
    let page = service.store.challenges(viewer, drafts, None, None, None).await.unwrap();
    page.items.iter().map(|row| row.name.to_string()).collect()
}

#[tokio::test]
async fn private_challenges_exist_for_members_and_operators_and_drafts_for_operators() {
    let service = Service::new().await;
    let open = service.published("open-field", Visibility::Public).await;
    let closed = service.published("closed-circle", Visibility::Private).await;
    let draft = service.draft("unfinished").await;
    let operator = service.principal("olga", Scope::Operator).await;
    let (member, other) =
        (service.principal("ada", Scope::Builder).await, service.principal("byron", Scope::Builder).await);
    let code = service.invite(&closed).await.code;
    service.store.join(&JoinRequest { code, account: None, team: None }, Some(&member), at(1)).await.unwrap();
    let cases = [
        (Some(&operator), [true, true, true]),
        (Some(&member), [true, true, false]),
        (Some(&other), [true, false, false]),
        (None, [true, false, false]),
    ];
    for (viewer, expected) in cases {
        let mut seen = [false; 3];
        for (seen, row) in seen.iter_mut().zip([&open, &closed, &draft]) {
            *seen = service.store.may_see(row, viewer).await.unwrap();
        }
        assert_eq!(seen, expected, "{viewer:?}");
        // Whoever asks for drafts gets them only as an operator.
        let names = listed(&service, viewer, true).await;
        let shown = [&open, &closed, &draft].map(|row| names.contains(&row.name.to_string()));
        assert_eq!(shown, expected, "{viewer:?}");
    }
    assert_eq!(listed(&service, Some(&operator), false).await, ["closed-circle", "open-field"]);
}

#[tokio::test]
async fn an_edit_of_the_visibility_takes_effect() {
    let service = Service::new().await;
    let row = service.published("closed-circle", Visibility::Private).await;
    let draft = Draft { visibility: Visibility::Public, ..Draft::clone(&row.draft) };
    let public = in_force("closed-circle", Visibility::Public);
    let row = service.store.edit(row.id, Some(row.revision), &draft, public, &Actor::Local, at(1)).await.unwrap();
    assert!(service.store.may_see(&row, None).await.unwrap());
    assert_eq!(listed(&service, None, false).await, ["closed-circle"]);
}

#[tokio::test]
async fn a_change_from_an_old_revision_is_refused() {
    let service = Service::new().await;
    let row = service.draft("first").await;
    assert_eq!(row.revision, 1);
    let draft = Draft { summary: "One.".to_owned(), ..Draft::clone(&row.draft) };
    let store = &service.store;
    let saved = store.save_draft(row.id, Some(1), &draft, &Actor::Local, at(1)).await.unwrap();
    assert_eq!((saved.revision, saved.draft.summary.as_str()), (2, "One."));
    let old = store.save_draft(row.id, Some(1), &Draft::default(), &Actor::Local, at(2)).await;
    assert_eq!(refused(old), ErrorCode::PreconditionFailed);
    let force = || in_force("first", Visibility::Public);
    let old = store.publish(row.id, Some(1), force(), &Actor::Local, at(2)).await;
    assert_eq!(refused(old), ErrorCode::PreconditionFailed);
    // Nothing of what was refused is there.
    let found = store.challenge(&row.name).await.unwrap().unwrap();
    assert_eq!((found.revision, found.stage, &found.draft.summary), (2, Stage::Draft, &draft.summary));
    let published = store.publish(row.id, Some(2), force(), &Actor::Local, at(3)).await.unwrap();
    let old = store.edit(row.id, Some(2), &draft, force(), &Actor::Local, at(4)).await;
    assert_eq!(refused(old), ErrorCode::PreconditionFailed);
    let edited = store.edit(row.id, Some(3), &draft, force(), &Actor::Local, at(4)).await.unwrap();
    assert_eq!((published.revision, edited.revision), (3, 4));
    // The cover belongs to no revision.
    let cover = Cover {
        digest: store.put_artifact(Bytes::from_static(b"png")).await.unwrap(),
        media_type: "image/png".to_owned(),
    };
    let covered = store.set_cover(row.id, Some(cover.clone()), &Actor::Local, at(5)).await.unwrap();
    assert_eq!((covered.revision, covered.cover), (4, Some(cover)));
    assert_eq!(store.set_cover(row.id, None, &Actor::Local, at(5)).await.unwrap().cover, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_from_one_revision_exactly_one_is_made() {
    let service = Service::new().await;
    let row = service.draft("first").await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (store, row) = (service.store.clone(), row.clone());
            let draft = Draft { seed: number, ..Draft::clone(&row.draft) };
            tokio::spawn(async move { store.save_draft(row.id, Some(1), &draft, &Actor::Local, at(1)).await })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(row) => made.push(row.draft.seed),
            other => assert_eq!(refused(other), ErrorCode::PreconditionFailed),
        }
    }
    let found = service.store.challenge(&row.name).await.unwrap().unwrap();
    assert_eq!((made, found.revision), (vec![found.draft.seed], 2));
}

#[tokio::test]
async fn a_challenge_goes_from_draft_to_published_to_closed_and_never_back() {
    let service = Service::new().await;
    let (store, actor) = (&service.store, &Actor::Local);
    let row = service.draft("first").await;
    let force = || in_force("first", Visibility::Public);
    assert_eq!(refused(store.close(row.id, None, None, actor, at(1)).await), ErrorCode::Conflict);
    assert_eq!(refused(store.edit(row.id, None, &row.draft, force(), actor, at(1)).await), ErrorCode::Conflict);
    let published = store.publish(row.id, None, force(), actor, at(2)).await.unwrap();
    assert_eq!((published.stage, published.published_at), (Stage::Published, Some(at(2))));
    assert_eq!(published.published.as_deref(), Some(&force()));
    assert_eq!(refused(store.publish(row.id, None, force(), actor, at(3)).await), ErrorCode::Conflict);
    assert_eq!(refused(store.save_draft(row.id, None, &row.draft, actor, at(3)).await), ErrorCode::Conflict);
    let anchors = Anchors { median_flops: 0.1 + 0.2, p10_flops: 1.0 / 3.0, members: 7, provisional: true };
    let salt = Some("5a".repeat(32));
    let closed = store.close(row.id, Some(anchors), salt.clone(), actor, at(4)).await.unwrap();
    assert_eq!((closed.stage, closed.closed_at, closed.revision), (Stage::Closed, Some(at(4)), 3));
    // To the last bit.
    assert_eq!((closed.frozen, closed.revealed_salt.clone()), (Some(anchors), salt));
    assert_eq!(refused(store.close(row.id, None, None, actor, at(5)).await), ErrorCode::Conflict);
    assert_eq!(store.challenge_by_id(row.id).await.unwrap(), Some(closed));
    let made = ["challenge.create", "challenge.publish", "challenge.close"];
    assert_eq!(service.actions().await, made);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let service = Service::new().await;
    service.draft("first").await;
    let new = NewDraft { name: "first".parse().unwrap(), title: "Another".to_owned() };
    assert_eq!(refused(service.store.create_draft(&new, &Actor::Local, at(1)).await), ErrorCode::Conflict);
    for (title, code) in [(String::new(), true), ("ä".repeat(82), false), ("ä".repeat(83), true)] {
        let new = NewDraft { name: "second".parse().unwrap(), title };
        let result = service.store.create_draft(&new, &Actor::Local, at(1)).await;
        assert_eq!(result.is_err(), code);
    }
}

#[tokio::test]
async fn a_search_takes_its_words_literally() {
    let service = Service::new().await;
    let titles = [
        ("percent", "Up to 100% of it", "A_B"),
        ("quotes", "The \"quoted\" and 'single' ones", "é and ß"),
        ("plain", "Something plain", "AxB"),
    ];
    for (name, title, summary) in titles {
        let row = service.draft(name).await;
        let draft = Draft {
            title: title.to_owned(),
            summary: summary.to_owned(),
            keywords: vec!["Shared Word".to_owned(), format!("only-{name}")],
            ..Draft::default()
        };
        service.store.save_draft(row.id, None, &draft, &Actor::Local, at(0)).await.unwrap();
        service.store.publish(row.id, None, in_force(name, Visibility::Public), &Actor::Local, at(0)).await.unwrap();
    }
    let all = ["percent", "plain", "quotes"].as_slice();
    for (q, expected) in [
        ("", all),
        ("%", &["percent"]),
        ("100%", &["percent"]),
        ("a_b", &["percent"]),
        ("_", &["percent"]),
        ("\"quoted\"", &["quotes"]),
        ("'", &["quotes"]),
        ("' OR 1=1 --", &[]),
        ("É", &["quotes"]),
        ("shared WORD", all),
        ("word only-plain", &["plain"]),
        ("word absent", &[]),
        ("*", &[]),
        ("[a-z]", &[]),
        ("\\", &[]),
        ("\0", &[]),
    ] {
        let page = service.store.challenges(None, false, Some(q), None, None).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, expected, "{q:?}");
    }
    let store = &service.store;
    assert!(store.challenges(None, false, Some(&"x".repeat(200)), None, None).await.is_ok());
    let long = store.challenges(None, false, Some(&"x".repeat(201)), None, None).await;
    assert_eq!(refused(long), ErrorCode::BadRequest);
}

#[tokio::test]
async fn challenges_whose_time_is_over_are_due_until_they_are_closed() {
    let service = Service::new().await;
    let row = service.draft("first").await;
    let rules = ServiceRules { closes_at: Some(at(100)), ..ServiceRules::default() };
    let draft = Draft { rules, ..Draft::clone(&row.draft) };
    service.store.save_draft(row.id, None, &draft, &Actor::Local, at(0)).await.unwrap();
    let due = async |now| service.store.due(at(now)).await.unwrap().len();
    assert_eq!(due(100).await, 0);
    service.store.publish(row.id, None, in_force("first", Visibility::Public), &Actor::Local, at(0)).await.unwrap();
    assert_eq!((due(99).await, due(100).await), (0, 1));
    service.store.close(row.id, None, None, &Actor::Local, at(100)).await.unwrap();
    assert_eq!(due(101).await, 0);
}

#[tokio::test]
async fn what_was_read_once_is_read_anew_after_a_change() {
    let service = Service::new().await;
    let row = service.published("first", Visibility::Public).await;
    let read = async || service.store.challenge(&row.name).await.unwrap().unwrap();
    let (one, two) = (read().await, read().await);
    assert!(Arc::ptr_eq(&one.draft, &two.draft));
    let draft = Draft { title: "Another title".to_owned(), ..Draft::clone(&row.draft) };
    let force = in_force("first", Visibility::Public);
    // By another process.
    let other = thimble_store::Store::open(&service.data()).await.unwrap();
    other.edit(row.id, None, &draft, force, &Actor::Local, at(1)).await.unwrap();
    assert_eq!(read().await.draft.title, "Another title");
}

#[tokio::test]
async fn a_damaged_challenge_is_reported() {
    let service = Service::new().await;
    let row = service.published("first", Visibility::Public).await;
    let damage = "UPDATE challenges SET challenge_json = replace(challenge_json, 'Frugal', 'Frusal'), revision = 99";
    sqlx::query(damage).execute(&mut service.raw().await).await.unwrap();
    let error = service.store.challenge(&row.name).await.unwrap_err().to_string();
    assert!(error.starts_with("stored challenge_json is damaged"), "{error}");
}

#[tokio::test]
async fn released_results_that_count_are_counted_with_their_builders() {
    let service = Service::new().await;
    let row = service.published("first", Visibility::Public).await;
    let counts = async |now| service.store.counts(row.id, at(now)).await.unwrap();
    assert_eq!(counts(1_000).await, (0, 0));
    let (ada, byron) =
        (service.principal("ada", Scope::Builder).await, service.principal("byron", Scope::Builder).await);
    let mut connection = service.raw().await;
    // Builder, mode, verdict, improved, withdrawn, release.
    for (number, (builder, mode, verdict, improved, withdrawn, released)) in [
        (&ada, "official", "scored", true, false, 10),
        (&ada, "official", "scored", true, false, 20),
        (&byron, "official", "scored", true, false, 30),
        (&byron, "official", "scored", false, false, 0),
        (&byron, "official", "scored", true, true, 0),
        (&byron, "official", "trap", true, false, 0),
        (&byron, "validation", "scored", true, false, 0),
    ]
    .into_iter()
    .enumerate()
    {
        sqlx::query(
            "INSERT INTO submissions (id, challenge_id, account_id, team_id, mode, state, submitted_at, note, package, \
             package_bytes, concurrency, reserved, finished_at, released_at, verdict, improved, withdrawn) \
             VALUES (?, ?, ?, ?, ?, 'finished', 0, '', zeroblob(32), 1, 1, 0, 0, ?, ?, ?, ?)",
        )
        .bind([number as u8; 16].as_slice())
        .bind(row.id)
        .bind(builder.account_id)
        .bind(builder.team_id)
        .bind(mode)
        .bind(at(released).millis())
        .bind(verdict)
        .bind(improved)
        .bind(withdrawn)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let seen = [counts(9).await, counts(10).await, counts(29).await, counts(30).await];
    assert_eq!(seen, [(0, 0), (1, 1), (1, 2), (2, 3)]);
}
