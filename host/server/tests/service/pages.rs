//! Pages and their forms, as a browser without scripts has them.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thimble_challenge::Verdict;

use crate::world::{Answer, World, multipart, request};

/// A browser with its cookie, at the address of the service.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn signed_in(world: &'a World, token: &str) -> Self {
        let mut browser = Self { world, cookie: String::new() };
        let answer = browser.form("/login", &[("token", token), ("next", "/challenges/open")]).await.expect(303);
        assert_eq!(answer.header("location"), "/challenges/open");
        let cookie = answer.header("set-cookie").to_owned();
        for part in ["thimble_session=ths_", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = request(method, path, None).header("host", "localhost").header("accept", "text/html");
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (kind, body) = multipart(fields, &[]);
        let request =
            self.request(Method::POST, path).header("content-type", kind).header("sec-fetch-site", "same-origin");
        self.world.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn form_with(&self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
        let (kind, body) = multipart(fields, files);
        let request =
            self.request(Method::POST, path).header("content-type", kind).header("sec-fetch-site", "same-origin");
        self.world.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What the forms of this session send back.
    async fn csrf(&self) -> String {
        let page = self.get("/").await.expect(200).text();
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_session_begins_with_a_token_and_ends_with_it() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let browser = Browser::signed_in(&world, &token).await;
    assert!(browser.get("/").await.expect(200).text().contains("bob"));
    let csrf = browser.csrf().await;
    // The interface for programs reads by the cookie, so that a page can follow a submission, and changes nothing by it.
    let read = browser.request(Method::GET, "/api/v1/whoami").body(Body::empty()).unwrap();
    world.send(read).await.expect(200);
    let write = browser.request(Method::POST, "/api/v1/tokens/revoke").body(Body::empty()).unwrap();
    world.send(write).await.expect(401);
    let out = browser.form("/logout", &[("csrf", &csrf)]).await.expect(303);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let after = browser.get("/").await.expect(200);
    assert!(!after.text().contains("bob"));
    assert!(after.header("set-cookie").contains("Max-Age=0"), "the cookie of a session that has ended goes");
    let again = Browser::signed_in(&world, &token).await;
    world.post("/api/v1/tokens/revoke", &token).await.expect(204);
    assert!(!again.get("/").await.expect(200).text().contains("bob"));
}

#[tokio::test]
async fn a_wrong_token_signs_nobody_in_and_is_not_shown_again() {
    let world = World::new().await;
    let nobody = Browser { world: &world, cookie: String::new() };
    let answer =
        nobody.form("/login", &[("token", "thb_wrong-and-secret"), ("next", "//evil.example")]).await.expect(401);
    assert!(!answer.text().contains("wrong-and-secret") && !answer.text().contains("evil.example"));
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let good = world.builder("bob").await;
    let away = nobody.form("/login", &[("token", &good), ("next", "//evil.example")]).await.expect(303);
    assert_eq!(away.header("location"), "/");
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_changes_nothing() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let operator = Browser::signed_in(&world, &world.operator).await;
    let csrf = operator.csrf().await;
    let other = Browser::signed_in(&world, &world.operator).await;
    let fields = |csrf| [("csrf", csrf), ("name", "made"), ("title", "Made")];
    let of_other = other.csrf().await;
    for bad in ["", "0", &of_other, &csrf[1..]] {
        operator.form("/operator/new", &fields(bad)).await.expect(403);
    }
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let (kind, body) = multipart(&fields(&csrf), &[]);
        let request =
            operator.request(Method::POST, "/operator/new").header("content-type", kind).header(header, value);
        world.send(request.body(Body::from(body)).unwrap()).await.expect(403);
    }
    // A bearer token is no session: its holder uses the interface for programs.
    let (kind, body) = multipart(&fields(&csrf), &[]);
    let bearer = request(Method::POST, "/operator/new", Some(&world.operator)).header("content-type", kind);
    world.send(bearer.body(Body::from(body)).unwrap()).await.expect(403);
    world.get("/api/v1/operator/challenges/made", Some(&world.operator)).await.expect(404);
    operator.form("/operator/new", &fields(&csrf)).await.expect(303);
    world.get("/api/v1/operator/challenges/made", Some(&world.operator)).await.expect(200);
}

#[tokio::test]
async fn every_tab_is_there_for_everyone_it_is_for() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    world.submit("open", &token, "official").await;
    let id = world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    let nobody = Browser { world: &world, cookie: String::new() };
    let (builder, operator) =
        (Browser::signed_in(&world, &token).await, Browser::signed_in(&world, &world.operator).await);
    let submission = format!("/submissions/{id}");
    let tabs = [
        "/challenges/open",
        "/challenges/open/description",
        "/challenges/open/explore",
        "/challenges/open/training",
        "/challenges/open/submissions",
        &submission,
    ];
    for tab in tabs {
        for browser in [&nobody, &builder, &operator] {
            let page = browser.get(tab).await.expect(200);
            assert!(page.header("content-type").starts_with("text/html") && page.text().contains("</html>"), "{tab}");
        }
    }
    let anonymous = nobody.get("/challenges/open").await;
    assert_eq!(anonymous.header("cache-control"), "no-cache");
    assert!(anonymous.text().contains("bob") && !anonymous.text().contains("csrf"));
    assert_eq!(builder.get("/challenges/open").await.header("cache-control"), "private, no-cache");
    let absent = nobody.get("/challenges/absent").await.expect(404);
    assert!(absent.text().contains("</html>"));
    nobody.get("/challenges/open?version=99").await.expect(404);
    nobody.get("/operator").await.expect(401);
}

#[tokio::test]
async fn a_package_is_submitted_and_cancelled_by_form() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let browser = Browser::signed_in(&world, &world.builder("bob").await).await;
    let csrf = browser.csrf().await;
    let fields = [("csrf", &*csrf), ("mode", "official"), ("note", "by hand")];
    let submit = "/challenges/open/submit";
    let none = browser.form_with(submit, &fields, &[("package", "", b"")]).await.expect(422);
    assert!(none.text().contains("by hand"), "what was typed is there again");
    browser.form_with(submit, &fields, &[("package", "x.zip", b"no package")]).await.expect(422);
    let sent = browser.form_with(submit, &fields, &[("package", "x.wasm", b"\0asm-one")]).await.expect(303);
    let address = sent.header("location").to_owned();
    assert!(address.starts_with("/submissions/"), "{address}");
    assert!(browser.get(&address).await.expect(200).text().contains("by hand"));
    // The same once more: it is pointed to the first.
    let again = browser.form_with(submit, &fields, &[("package", "x.wasm", b"\0asm-one")]).await.expect(409);
    assert!(again.text().contains(address.rsplit('/').next().unwrap()));
    browser.form(&format!("{address}/cancel"), &[("csrf", "")]).await.expect(403);
    browser.form(&format!("{address}/cancel"), &[("csrf", &csrf)]).await.expect(303);
    let status = world.get(&format!("/api/v1{address}"), Some(&world.operator)).await.expect(200).json();
    assert_eq!(status["submission"]["run"]["status"]["ending"], "cancelled");
}

#[tokio::test]
async fn a_challenge_is_written_in_four_steps_by_form() {
    let world = World::new().await;
    let operator = Browser::signed_in(&world, &world.operator).await;
    let csrf = operator.csrf().await;
    let made =
        operator.form("/operator/new", &[("csrf", &csrf), ("name", "by-hand"), ("title", "By hand")]).await.expect(303);
    assert_eq!(made.header("location"), "/operator/challenges/by-hand/step/1");
    operator.form("/operator/new", &[("csrf", &csrf), ("name", "by-hand"), ("title", "Again")]).await.expect(409);
    let step = |number: u8| format!("/operator/challenges/by-hand/step/{number}");
    for number in 1..=4 {
        operator.get(&step(number)).await.expect(200);
    }
    operator.get(&step(5)).await.expect(404);
    let mut picture = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(40, 20).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let tile = [
        ("csrf", &*csrf),
        ("title", "By hand"),
        ("summary", "Written without a script."),
        ("keywords", "small, tidy"),
        ("visibility", "private"),
        ("then", "next"),
    ];
    let next = operator.form_with(&step(1), &tile, &[("cover", "c.png", &picture.into_inner())]).await.expect(303);
    assert_eq!(next.header("location"), step(2));
    let bad = operator.form_with(&step(1), &tile, &[("cover", "c.png", b"GIF89a")]).await.expect(422);
    assert!(bad.text().contains("JPEG or PNG"));
    let data = [
        ("csrf", &*csrf),
        ("public_dataset", "tiny"),
        ("official_dataset", "tiny-official"),
        ("metric", "rmse"),
        ("score.rule", "metric"),
        ("then", "next"),
    ];
    let answer = operator.form(&step(2), &data).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    operator
        .form(&step(3), &[("csrf", &csrf), ("description", "# By hand\r\n\r\nWords."), ("then", "next")])
        .await
        .expect(303);
    // Step 4 as it is shown, sent back: every field has a value that is accepted.
    let shown = operator.get(&step(4)).await.expect(200).text();
    let mut fields = inputs(&shown, &step(4));
    fields.push(("then".to_owned(), "publish".to_owned()));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let published = operator.form(&step(4), &fields).await;
    assert_eq!(published.status, 303, "{}", published.text());
    assert_eq!(published.header("location"), "/challenges/by-hand");
    let view = world.get("/api/v1/challenges/by-hand", Some(&world.operator)).await.expect(200).json();
    assert_eq!(view["challenge"]["keywords"], json!(["small", "tidy"]));
    assert_eq!(view["summary"]["cover"], "/api/v1/challenges/by-hand/cover");
    world.get("/challenges/by-hand", None).await.expect(404);
    // Invited by form: the code is shown once, and makes an account that is signed in.
    let invited =
        operator.form("/operator/challenges/by-hand/invite", &[("csrf", &csrf), ("label", "Ada")]).await.expect(200);
    assert_eq!(invited.header("cache-control"), "private, no-store");
    let text = invited.text();
    let code: String = text.split("thi_").nth(1).unwrap().chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(code.len(), 64);
    let code = format!("thi_{code}");
    assert!(!operator.get(&step(4)).await.expect(200).text().contains(&code));
    let nobody = Browser { world: &world, cookie: String::new() };
    nobody.form("/join", &[("code", &code), ("account", "Not A Name")]).await.expect(422);
    let joined = nobody.form("/join", &[("code", &code), ("account", "ada")]).await.expect(200);
    assert!(joined.text().contains("thb_") && joined.header("cache-control") == "private, no-store");
    let cookie = joined.header("set-cookie").split(';').next().unwrap().to_owned();
    Browser { world: &world, cookie }.get("/challenges/by-hand").await.expect(200);
    operator.form("/operator/challenges/by-hand/close", &[("csrf", &csrf)]).await.expect(303);
    assert_eq!(
        world.get("/api/v1/challenges/by-hand", Some(&world.operator)).await.json()["summary"]["stage"],
        "closed"
    );
}

/// Names and values of what stands in the form that is sent to `action`: enough of HTML for the pages of this service.
fn inputs(page: &str, action: &str) -> Vec<(String, String)> {
    let form = page.split("<form").find(|form| form.contains(&format!("action=\"{action}\""))).unwrap();
    let form = form.split("</form>").next().unwrap();
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(
            rest.split('"')
                .next()
                .unwrap_or_default()
                .replace("&amp;", "&")
                .replace("&quot;", "\"")
                .replace("&lt;", "<"),
        )
    };
    let mut found = Vec::new();
    for tag in form.split("<input").skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        let choice = [" type=\"radio\"", " type=\"checkbox\""].iter().any(|kind| tag.contains(kind));
        if choice && !tag.contains(" checked") {
            continue;
        }
        if let Some(name) = attribute(tag, "name") {
            found.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    found
}
