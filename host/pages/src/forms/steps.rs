//! Steps 1 and 3, as typed.

use thimble_api::ErrorDetail;
use thimble_api::draft::Draft;
use thimble_challenge::challenge::Visibility;

use super::Fields;
use super::parse::Reader;

/// Step 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step1Form {
    /// 1 to 82 characters.
    pub title: String,
    /// 1 to 500 characters.
    pub summary: String,
    /// Up to 6, with commas between.
    pub keywords: String,
    /// `public` or `private`.
    pub visibility: String,
    /// Takes the cover image away.
    pub remove_cover: bool,
}

impl Step1Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self {
            title: fields.line("title"),
            summary: fields.lines("summary").trim().to_owned(),
            keywords: fields.line("keywords"),
            visibility: fields.line("visibility"),
            remove_cover: fields.is_ticked("remove_cover"),
        }
    }

    /// What a draft has.
    pub fn of(draft: &Draft) -> Self {
        Self {
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            keywords: draft.keywords.join(", "),
            visibility: match draft.visibility {
                Visibility::Public => "public".to_owned(),
                Visibility::Private => "private".to_owned(),
            },
            remove_cover: false,
        }
    }

    /// Changes the draft, and says what could not be read. What is against a rule is found when the draft is checked.
    pub fn apply(&self, draft: &mut Draft) -> Vec<ErrorDetail> {
        let mut reader = Reader::default();
        draft.title.clone_from(&self.title);
        // One line: a challenge's summary has no control characters.
        draft.summary = self.summary.split_whitespace().collect::<Vec<_>>().join(" ");
        draft.keywords =
            self.keywords.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        match self.visibility.as_str() {
            "public" => draft.visibility = Visibility::Public,
            "private" => draft.visibility = Visibility::Private,
            _ => reader.fault("visibility", "must be public or private"),
        }
        reader.into_faults()
    }
}

/// Step 3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step3Form {
    /// Markdown.
    pub description: String,
}

impl Step3Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { description: fields.lines("description") }
    }

    /// What a draft has.
    pub fn of(draft: &Draft) -> Self {
        Self { description: draft.description.clone() }
    }

    /// Changes the draft.
    pub fn apply(&self, draft: &mut Draft) -> Vec<ErrorDetail> {
        draft.description.clone_from(&self.description);
        Vec::new()
    }
}
