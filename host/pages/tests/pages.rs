//! What holds of every page.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod fixture;
mod markup;

use std::collections::BTreeSet;

use fixture::Fixture;
use markup::{Tag, tags};

/// Ends an attribute, an element and what browsers read as plain text; runs where it is not escaped; turns what follows.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></title></textarea></noscript>&lt;b&gt; javascript:alert(1)//\u{202e}\u{2066}\u{0}";

fn pages() -> Vec<(&'static str, String)> {
    Fixture::default().pages().into_iter().map(|(name, page)| (name, page.into_string())).collect()
}

fn each(check: impl Fn(&str, &str, &[Tag])) {
    for (name, page) in pages() {
        check(name, &page, &tags(&page));
    }
}

/// The elements of a page and their attributes are those that this crate writes, whatever stands in the texts.
#[test]
fn hostile_text_changes_no_element_and_no_attribute() {
    let hostile = Fixture { tail: HOSTILE }.pages();
    for ((name, page), (_, hostile)) in pages().iter().zip(hostile) {
        let hostile = hostile.into_string();
        let shape =
            |page: &str| tags(page).iter().map(|tag| format!("{} {:?}", tag.name, tag.names())).collect::<Vec<_>>();
        assert_eq!(shape(page), shape(&hostile), "{name}");
        for mark in ['\u{202e}', '\u{2066}', '\u{0}'] {
            assert!(!hostile.contains(mark), "{name} has {mark:?}");
        }
        for tag in tags(&hostile) {
            for link in ["href", "src", "action"].iter().filter_map(|key| tag.value(key)) {
                let known = link.starts_with(['/', '#'])
                    || link.starts_with("https://")
                    || link.starts_with("data:image/svg+xml,");
                assert!(known && !link.starts_with("//"), "{name}: {link}");
            }
        }
    }
}

/// The test above would pass where the text is not shown at all.
#[test]
fn hostile_text_is_shown_as_text() {
    for (name, page) in (Fixture { tail: HOSTILE }).pages() {
        let of_the_page = ["description", "run-cancelled", "login", "join-signed-in", "joined", "challenges-none"];
        let shows = page.into_string().contains("&lt;script&gt;alert(1)&lt;/script&gt;");
        // The others have the title of the challenge at least.
        let expected = !of_the_page.contains(&name) || matches!(name, "description" | "run-cancelled");
        assert_eq!(shows, expected, "{name}");
    }
}

#[test]
fn no_page_has_a_script_or_a_style_of_its_own() {
    each(|name, page, tags| {
        for tag in tags {
            assert!(tag.name != "style", "{name}");
            assert!(tag.name != "script" || tag.value("src").is_some_and(|src| src.starts_with("/static/")), "{name}");
            for attribute in tag.names() {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {} {attribute}", tag.name);
            }
        }
        assert!(!page.contains("<script>"), "{name}");
    });
}

#[test]
fn every_form_that_changes_something_is_bound_to_the_session() {
    each(|name, page, _| {
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let anonymous = ["action=\"/login\"", "action=\"/join\""].iter().any(|action| form.contains(action));
            let bound = !anonymous || page.contains("action=\"/logout\"");
            if form.contains("method=\"post\"") && bound {
                assert!(form.contains("name=\"csrf\" value=\"c5rf-&quot;token&quot;\""), "{name}: {form}");
            }
        }
    });
}

#[test]
fn ids_are_unique_and_every_reference_finds_one() {
    each(|name, _, tags| {
        let mut ids = BTreeSet::new();
        for id in tags.iter().filter_map(|tag| tag.value("id")) {
            assert!(ids.insert(id.to_owned()), "{name}: {id} twice");
        }
        for tag in tags {
            let for_one =
                tag.value("for").into_iter().chain(tag.value("aria-labelledby")).chain(tag.value("aria-describedby"));
            for id in for_one.flat_map(|ids| ids.split(' ').map(str::to_owned).collect::<Vec<_>>()) {
                assert!(ids.contains(&id), "{name}: no {id}");
            }
        }
    });
}

#[test]
fn every_input_has_a_label() {
    each(|name, page, tags| {
        let labelled: BTreeSet<_> =
            tags.iter().filter_map(|tag| tag.value("for").filter(|_| tag.name == "label")).collect();
        for tag in tags.iter().filter(|tag| matches!(tag.name.as_str(), "input" | "select" | "textarea")) {
            let kind = tag.value("type").unwrap_or("text");
            let inside_label = matches!(kind, "radio" | "checkbox");
            let known = kind == "hidden" || inside_label || tag.value("id").is_some_and(|id| labelled.contains(id));
            assert!(known, "{name}: {:?}", tag.value("name"));
        }
        for choice in page.split("<input").skip(1).filter(|rest| {
            let tag = rest.split('>').next().unwrap();
            tag.contains("type=\"radio\"") || tag.contains("type=\"checkbox\"")
        }) {
            assert!(choice.split_once("</label>").is_some_and(|(inside, _)| !inside.contains("<label")), "{name}");
        }
    });
}

#[test]
fn every_table_says_what_it_is() {
    each(|name, page, tags| {
        // Tables of descriptions are their authors'.
        let own = page.split("<div class=\"prose\"").next().unwrap();
        assert_eq!(own.matches("<table").count(), own.matches("<caption").count(), "{name}");
        for tag in tags.iter().filter(|tag| tag.name == "th") {
            assert!(tag.value("scope").is_some(), "{name}");
        }
    });
}

#[test]
fn no_page_shows_a_figure_that_is_none() {
    each(|name, page, _| {
        for wrong in ["NaN", "inf ", "0.00 mg", "nan %", "Infinity"] {
            assert!(!page.contains(wrong), "{name} shows {wrong}");
        }
    });
}

#[test]
fn every_page_has_one_heading_a_language_and_a_way_past_the_navigation() {
    each(|name, page, tags| {
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{name}");
        assert_eq!(tags.iter().filter(|tag| tag.name == "h1").count(), 1, "{name}");
        assert!(page.contains("<a class=\"skip\" href=\"#main\">") && page.contains("<main id=\"main\""), "{name}");
    });
}

#[test]
fn elements_are_closed_in_the_order_in_which_they_were_opened() {
    each(|name, page, _| assert_eq!(markup::first_wrong_end(page), None, "{name}"));
}

#[test]
fn a_submission_that_moves_is_asked_for_again_with_and_without_scripts() {
    for (name, page) in pages().iter().filter(|(name, _)| name.starts_with("run-")) {
        let moves = matches!(*name, "run-queued" | "run-running" | "run-official-running");
        assert_eq!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"), moves, "{name}");
        assert_eq!(page.contains("data-events=\"/api/v1/submissions/"), moves, "{name}");
        assert_eq!(page.contains("/static/live.js?v="), moves, "{name}");
    }
}

/// What an official run must not tell is nowhere on its page: it has no field for it, and no other view is given.
#[test]
fn an_official_run_that_goes_on_shows_no_progress() {
    let (_, page) = pages().into_iter().find(|(name, _)| *name == "run-official-running").unwrap();
    for word in ["class=\"phases\"", "class=\"bar\"", "Curves", "id=\"log\""] {
        assert!(!page.contains(word), "{word}");
    }
}

/// 3 teams × 200 PF × €0.025 = 600 × 0.025 = €15.00; without one, the worked example of ten: €50.00.
#[test]
fn the_price_of_the_budgets_is_worked_out() {
    let page = |wanted: &str| pages().into_iter().find(|(name, _)| *name == wanted).unwrap().1;
    assert!(page("step4").contains("3 teams × 200PF × €0.025 / PF = <strong>€15.00</strong>"));
    assert!(page("step4-fresh").contains("10 teams × 200PF × €0.025 / PF = <strong>€50.00</strong>"));
}

#[test]
fn a_fault_stands_beside_its_input() {
    let page = |wanted: &str| pages().into_iter().find(|(name, _)| *name == wanted).unwrap().1;
    let title = page("step1");
    let field = title.split("<label for=\"f-title\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(field.contains("aria-invalid=\"true\"") && field.contains("class=\"fault\""), "{field}");
    let metric = page("step2");
    let field = metric.split("<label for=\"f-metric\">").nth(1).unwrap().split("</p>").next().unwrap();
    // The challenge file calls it `ranking.metric`.
    assert!(field.contains("To publish: "), "{field}");
    assert!(page("step4").contains("aria-invalid=\"true\""));
}

#[test]
fn only_operators_are_offered_what_operators_do() {
    each(|name, page, _| {
        let operator = page.contains("<a href=\"/operator\">Operator</a>");
        assert_eq!(operator, page.contains(" grace ") || page.contains(">grace<"), "{name}");
        if !operator {
            assert!(!page.contains("/operator") && !page.contains("/monitor\""), "{name}");
        }
    });
}

#[test]
fn the_plot_and_its_table_say_the_same() {
    let (_, page) = pages().into_iter().find(|(name, _)| *name == "leaderboard").unwrap();
    let table =
        page.split("The frontier, by ascending cost</caption>").nth(1).unwrap().split("</table>").next().unwrap();
    let members = Fixture::default().board().frontier;
    assert_eq!(table.matches("<th scope=\"row\">").count(), members.len());
    for point in members {
        assert!(table.contains(&thimble_challenge::score::si(point.flops_per_sample, "FLOP")));
    }
    let behind = page.matches(", dominated by ").count();
    assert!(behind > 100, "{behind}");
}

/// A board of 200 rows and 2,000 points: what a page may weigh.
#[test]
fn the_largest_leaderboard_stays_small() {
    let mut board = Fixture::default().board();
    board.rows = board.rows.iter().cycle().take(200).cloned().collect();
    board.points = board.points.iter().cycle().take(2_000).cloned().collect();
    let view = Fixture::default().view(thimble_api::challenge::Stage::Published);
    let page = thimble_pages::leaderboard(&fixture::builder(), &view, &board, &Default::default()).into_string();
    assert!(page.len() < 640 << 10, "{} bytes", page.len());
}
