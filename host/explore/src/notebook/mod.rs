//! The owner's notebook as a page: rendered, never run.
//!
//! A notebook is what its author's tools wrote, so nothing of it is trusted: Markdown and HTML pass an allow-list, pictures are
//! decoded and checked before they are shown, code and text are escaped, and whatever else there is leaves a note. The page's
//! policy refuses scripts and everything from elsewhere a second time.

mod nesting;
mod picture;
mod sanitise;
mod text;

use serde::Deserialize;
use serde_json::Value;

use self::sanitise::Sanitiser;
use crate::html::{escape, page};

/// Bytes of a notebook's file.
pub const MAX_NOTEBOOK_BYTES: u64 = 25 << 20;
/// Arrays and objects inside each other.
const MAX_DEPTH: usize = 64;
/// Cells of a notebook.
const MAX_CELLS: usize = 10_000;
/// Outputs of one cell.
const MAX_OUTPUTS: usize = 1000;

/// Why a file is no notebook that can be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotebookError {
    /// The file is too long.
    #[error("the notebook has {bytes} bytes, at most {limit} are allowed")]
    Size {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Arrays and objects are inside each other too deep.
    #[error("the notebook's JSON is nested deeper than {limit} levels")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// Not the JSON of a notebook.
    #[error("the notebook cannot be read: {reason}")]
    Json {
        /// What the parser says, and where.
        reason: String,
    },
    /// Another version of the format.
    #[error("the notebook's nbformat is {found}, only 4 can be shown")]
    Version {
        /// What the file says.
        found: u64,
    },
    /// Too many cells, or outputs of one.
    #[error("the notebook has {found} {what}, at most {limit} are allowed")]
    Count {
        /// `cells`, or `outputs in a cell`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

/// A notebook of nbformat 4, parsed and within the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct File {
    nbformat: u64,
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default)]
    source: Lines,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Output {
    output_type: String,
    /// Of a stream.
    #[serde(default)]
    text: Lines,
    /// Of a result or a display: a value for each media type.
    #[serde(default)]
    data: serde_json::Map<String, Value>,
    /// Of an error.
    #[serde(default)]
    traceback: Vec<String>,
}

/// A text, or its lines.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Lines {
    Whole(String),
    Split(Vec<String>),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Whole(String::new())
    }
}

impl Lines {
    fn join(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Split(lines) => lines.concat(),
        }
    }

    /// A text of a bundle of media types; none where it is something else.
    fn of(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(lines) => {
                lines.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|lines| lines.concat())
            }
            _ => None,
        }
    }
}

impl Notebook {
    /// Reads a notebook.
    ///
    /// # Errors
    /// It is longer than [`MAX_NOTEBOOK_BYTES`], nested deeper than 64 levels, not JSON of nbformat 4, or has too many cells
    /// or outputs. Everything is checked before it is parsed or kept.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotebookError> {
        if bytes.len() as u64 > MAX_NOTEBOOK_BYTES {
            return Err(NotebookError::Size { bytes: bytes.len() as u64, limit: MAX_NOTEBOOK_BYTES });
        }
        if nesting::depth(bytes) > MAX_DEPTH {
            return Err(NotebookError::Depth { limit: MAX_DEPTH });
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| NotebookError::Json { reason: error.to_string() })?;
        if file.nbformat != 4 {
            return Err(NotebookError::Version { found: file.nbformat });
        }
        let outputs = file.cells.iter().map(|cell| cell.outputs.len()).max().unwrap_or(0);
        for (what, found, limit) in
            [("cells", file.cells.len(), MAX_CELLS), ("outputs in a cell", outputs, MAX_OUTPUTS)]
        {
            if found > limit {
                return Err(NotebookError::Count { what, found, limit });
            }
        }
        Ok(Self { cells: file.cells })
    }

    /// Number of cells.
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no cell.
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// One page of HTML, titled after the dataset. No script, nothing loaded; the same bytes for the same notebook.
    pub fn to_html(&self, name: &str) -> String {
        let mut body = format!(
            "<h1>{}: notebook</h1>\n<p class=\"note\">The owner's notebook, as it was saved: rendered, not run. Scripts, \
             widgets and whatever else is not shown leave a note. What it says of the data was not checked.</p>\n",
            escape(name)
        );
        let mut sanitiser = Sanitiser::new();
        for cell in &self.cells {
            body += &cell.to_html(&mut sanitiser);
        }
        page(&format!("{name}: notebook"), &body)
    }
}

impl Cell {
    fn to_html(&self, sanitiser: &mut Sanitiser) -> String {
        let source = self.source.join();
        let inside = match self.cell_type.as_str() {
            "markdown" => {
                let text = sanitiser.markdown(&source).unwrap_or_else(|reason| dropped(&format!("a text: {reason}")));
                return format!("<section class=\"cell\">\n{text}</section>\n");
            }
            "code" => {
                let outputs = self.outputs.iter().map(|output| output.to_html(sanitiser));
                pre("", &source) + &outputs.collect::<String>()
            }
            "raw" => pre("", &source),
            _ => dropped("a cell of an unknown type"),
        };
        format!("<section class=\"cell code\">\n{inside}</section>\n")
    }
}

impl Output {
    fn to_html(&self, sanitiser: &mut Sanitiser) -> String {
        match self.output_type.as_str() {
            "stream" => pre("", &text::without_escapes(&self.text.join())),
            "error" => pre("error", &text::without_escapes(&self.traceback.join("\n"))),
            "execute_result" | "display_data" => self.bundle(sanitiser),
            _ => dropped("an output of an unknown type"),
        }
    }

    /// The first media type that can be shown, pictures before HTML before text: they are versions of the same thing.
    fn bundle(&self, sanitiser: &mut Sanitiser) -> String {
        let mut notes = String::new();
        for kind in picture::Kind::ALL {
            let Some(value) = self.data.get(kind.media_type()) else { continue };
            match Lines::of(value).ok_or("no text").and_then(|text| picture::data_uri(kind, &text)) {
                Ok(uri) => return format!("<p><img src=\"{uri}\" alt=\"Output of the cell above\"></p>\n"),
                Err(reason) => notes += &dropped(&format!("a picture ({}: {reason})", kind.media_type())),
            }
        }
        if self.data.contains_key("image/svg+xml") {
            notes += &dropped("an SVG picture, which can hold scripts");
        }
        for kind in ["text/html", "text/markdown"] {
            let Some(source) = self.data.get(kind).and_then(Lines::of) else { continue };
            let clean = if kind == "text/html" { sanitiser.html(&source) } else { sanitiser.markdown(&source) };
            match clean {
                Ok(html) => return format!("{notes}<div class=\"scroll\" tabindex=\"0\">{html}</div>\n"),
                Err(reason) => notes += &dropped(&format!("an output ({kind}: {reason})")),
            }
        }
        if let Some(plain) = self.data.get("text/plain").and_then(Lines::of) {
            return notes + &pre("", &text::without_escapes(&plain));
        }
        if notes.is_empty() { dropped("an output of a kind that is not shown") } else { notes }
    }
}

fn pre(class: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<pre{class} tabindex=\"0\">{}</pre>\n", escape(text))
}

fn dropped(what: &str) -> String {
    format!("<p class=\"note\">[not shown: {}]</p>\n", escape(what))
}
