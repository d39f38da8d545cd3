//! Just enough of HTML to see which elements a page has: what this crate writes quotes every attribute.

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: Vec<(String, Option<String>)>,
}

impl Tag {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_deref())
    }
}

/// The inside of every tag, `/` included.
fn insides(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            continue;
        }
        let mut quoted = false;
        let end = rest
            .find(|c: char| {
                quoted ^= c == '"';
                c == '>' && !quoted
            })
            .unwrap_or(rest.len());
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

/// The start tags of a page.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    insides(page).into_iter().filter(|inside| !inside.starts_with('/')).map(tag).collect()
}

fn tag(inside: &str) -> Tag {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let value = rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"'));
        if let Some((value, after)) = value {
            attributes.push((key, Some(value.to_owned())));
            rest = after;
        } else {
            attributes.push((key, None));
            rest = rest.strip_prefix('=').unwrap_or(rest);
        }
    }
    Tag { name: name.to_owned(), attributes }
}

const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];

/// The first end tag that ends what is not open, or what is open at the end.
pub(crate) fn first_wrong_end(page: &str) -> Option<String> {
    let mut open = Vec::new();
    for inside in insides(page) {
        let name = inside.split(' ').next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => {
                let last = open.pop();
                if last != Some(name) {
                    return Some(format!("</{name}> ends {last:?}"));
                }
            }
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    open.last().map(|name| format!("<{name}> is open at the end"))
}
