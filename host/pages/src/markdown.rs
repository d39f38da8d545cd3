//! Descriptions: Markdown through an allow-list.

use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::text::plain;

/// Bytes of a description: the service's own limit, 200 KiB, and the table of figures that it adds.
const MAX_BYTES: usize = 256 << 10;
/// Tags of a description. The sanitiser's time grows with the square of how deep they are nested.
const MAX_TAGS: usize = 20_000;

/// Elements that may stay. Text of others stays without them.
const TAGS: [&str; 36] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "dd",
    "del",
    "details",
    "dl",
    "dt",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Elements whose content goes with them.
const EMPTIED: [&str; 12] = [
    "script", "style", "iframe", "object", "embed", "template", "noscript", "svg", "math", "title", "textarea",
    "select",
];

/// A description as HTML: text, structure, tables and links to the web. Pictures leave their description; headings
/// begin at the second level, since the page has the first. What is too large is shown as it was written.
pub fn html(source: &str) -> Markup {
    // Nothing that turns the direction of text, in a link's target neither.
    let source = plain(source);
    if source.len() > MAX_BYTES {
        return html! { pre tabindex="0" { (source) } };
    }
    let events = Parser::new_ext(&source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut rendered = String::new();
    pulldown_cmark::html::push_html(&mut rendered, events.filter_map(kept));
    if rendered.bytes().filter(|&byte| byte == b'<').count() > MAX_TAGS {
        return html! { pre tabindex="0" { (source) } };
    }
    // A wide table moves inside itself. The sanitiser lets no `div` through, so these are ours.
    let clean = clean(&rendered)
        .replace("<table>", "<div class=\"scroll\" tabindex=\"0\"><table>")
        .replace("</table>", "</table></div>");
    html! { div.prose dir="auto" { (PreEscaped(clean)) } }
}

/// An event as it is shown; none where it is not.
fn kept(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::Heading { level, .. }) => {
            Some(Event::Start(Tag::Heading { level: below(level), id: None, classes: Vec::new(), attrs: Vec::new() }))
        }
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(below(level)))),
        event => Some(event),
    }
}

const fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

/// No styles, classes, ids, pictures or forms.
fn clean(source: &str) -> String {
    Builder::new()
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from(EMPTIED))
        .generic_attributes(HashSet::new())
        .generic_attribute_prefixes(HashSet::new())
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .tag_attribute_values(HashMap::new())
        .set_tag_attribute_values(HashMap::from([("th", HashMap::from([("scope", "col")]))]))
        .allowed_classes(HashMap::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        // A relative link would lead into the service with the reader's session.
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"))
        .strip_comments(true)
        .clean(source)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> String {
        html(source).into_string()
    }

    #[test]
    fn structure_stays_below_the_heading_of_the_page() {
        let html = shown("# One\n\n| a | b |\n|---|---|\n| 1 | *2* |\n\n[link](https://example.org)");
        assert!(html.contains("<h2>One</h2>") && html.contains("<em>2</em>") && !html.contains("<h1"), "{html}");
        assert!(
            html.contains("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">a</th>"),
            "{html}"
        );
        assert!(html.contains("<a href=\"https://example.org\" rel=\"nofollow noopener noreferrer\">"), "{html}");
    }

    #[test]
    fn nothing_in_a_description_runs_loads_or_poses() {
        for source in [
            "<script>alert(1)</script>",
            "[a](javascript:alert(1))",
            "[a](java&#x73;cript:alert(1))",
            "[a](/operator/challenges/x/close)",
            "![a](https://example.org/a.png)",
            "<img src=x onerror=alert(1)>",
            "<a href='https://example.org' onclick='x()' style='position:fixed'>a</a>",
            "<form action=/logout><input name=a><button>b</button></form>",
            "<iframe src=//example.org></iframe>",
            "<svg><script>1</script></svg>",
            "<style>*{display:none}</style>",
            "<div class=banner id=main>a</div>",
        ] {
            let html = shown(source).to_lowercase();
            for word in [
                "<script",
                "javascript:",
                "href=\"/",
                "<img",
                "onerror",
                "onclick",
                "style=",
                "<form",
                "<input",
                "<iframe",
                "<svg",
                "<style",
                "banner",
                "id=",
            ] {
                assert!(!html.contains(word), "{source}: {html}");
            }
        }
    }

    #[test]
    fn what_is_too_large_is_text() {
        let html = shown(&"<b>".repeat(MAX_TAGS + 1));
        assert!(html.starts_with("<pre tabindex=\"0\">&lt;b&gt;"));
        assert!(shown(&"a\u{202e}".repeat(MAX_BYTES)).starts_with("<pre"));
    }
}
