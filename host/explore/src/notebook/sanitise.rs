//! Markdown and HTML through an allow-list.

use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Elements that may stay. Text of others stays without them; of scripts and styles nothing does.
const TAGS: [&str; 46] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
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

/// Tags of one source. The parser's time grows with the square of how deep they are nested.
const MAX_TAGS: usize = 10_000;
/// Tags of all sources of a notebook.
const MAX_TAGS_TOGETHER: usize = 200_000;
/// Bytes of one source.
const MAX_BYTES: usize = 2 << 20;

/// Sanitises the sources of one notebook, as long as they are not too many.
#[derive(Debug)]
pub(super) struct Sanitiser {
    tags: usize,
}

impl Sanitiser {
    /// For a notebook of which nothing was sanitised yet.
    pub(super) const fn new() -> Self {
        Self { tags: MAX_TAGS_TOGETHER }
    }

    /// HTML with nothing but text, structure and links to the web; why not, where it is too large.
    pub(super) fn html(&mut self, source: &str) -> Result<String, &'static str> {
        if source.len() > MAX_BYTES {
            return Err("larger than 2 MiB");
        }
        // No tag begins otherwise.
        let tags = source.bytes().filter(|&byte| byte == b'<').count();
        if tags > MAX_TAGS {
            return Err("more than 10,000 tags");
        }
        self.tags = self.tags.checked_sub(tags).ok_or("the notebook has more than 200,000 tags")?;
        Ok(clean(source))
    }

    /// Markdown as HTML, through the same list. Pictures leave their description.
    pub(super) fn markdown(&mut self, source: &str) -> Result<String, &'static str> {
        if source.len() > MAX_BYTES {
            return Err("larger than 2 MiB");
        }
        let is_image = |event: &Event<'_>| matches!(event, Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image));
        let events = Parser::new_ext(source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
        let mut rendered = String::new();
        pulldown_cmark::html::push_html(&mut rendered, events.filter(|event| !is_image(event)));
        self.html(&rendered)
    }
}

/// No styles, classes, ids, pictures or forms.
fn clean(source: &str) -> String {
    let mut attributes = HashMap::from([("a", HashSet::from(["href"]))]);
    for cell in ["td", "th"] {
        attributes.insert(cell, HashSet::from(["colspan", "rowspan"]));
    }
    let clean = Builder::new()
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from(EMPTIED))
        .generic_attributes(HashSet::new())
        .generic_attribute_prefixes(HashSet::new())
        .tag_attributes(attributes)
        .tag_attribute_values(HashMap::new())
        .set_tag_attribute_values(HashMap::new())
        .allowed_classes(HashMap::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        // A relative link would lead into wherever the page is kept.
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .clean(source);
    clean.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(source: &str) -> String {
        Sanitiser::new().html(source).expect("it is small")
    }

    fn markdown(source: &str) -> String {
        Sanitiser::new().markdown(source).expect("it is small")
    }

    #[test]
    fn tags_are_limited_in_a_source_and_together() {
        let mut sanitiser = Sanitiser::new();
        assert!(sanitiser.html(&"<b>".repeat(MAX_TAGS)).is_ok());
        assert_eq!(sanitiser.html(&"<b>".repeat(MAX_TAGS + 1)), Err("more than 10,000 tags"));
        for _ in 1..20 {
            assert!(sanitiser.html(&"<br>".repeat(MAX_TAGS)).is_ok());
        }
        assert_eq!(sanitiser.html("<b>"), Err("the notebook has more than 200,000 tags"));
        assert_eq!(sanitiser.markdown("**b**"), Err("the notebook has more than 200,000 tags"));
        assert_eq!(sanitiser.markdown(&"a".repeat(MAX_BYTES + 1)), Err("larger than 2 MiB"));
    }

    #[test]
    fn structure_stays() {
        let source = "# Title\n\n| a | b |\n|---|---|\n| 1 | *2* |\n\n[link](https://example.org)";
        let clean = markdown(source);
        assert!(clean.contains("<h1>Title</h1>") && clean.contains("<em>2</em>"), "{clean}");
        assert!(clean.contains("<a href=\"https://example.org\" rel=\"noopener noreferrer nofollow\">"), "{clean}");
    }

    #[test]
    fn a_picture_from_elsewhere_leaves_its_description() {
        assert_eq!(markdown("![a plot](https://example.org/track.png)"), "<p>a plot</p>\n");
    }

    #[test]
    fn tables_keep_their_cells_and_lose_their_style() {
        let source = "<table class=\"x\" style=\"background:url(//e)\"><tr><td colspan=\"2\" onclick=\"a()\">1</td></tr></table>";
        assert_eq!(html(source), "<table><tbody><tr><td colspan=\"2\">1</td></tr></tbody></table>");
    }
}
