//! The forms of the pages: the one place that says what their fields are called.
//!
//! A form is sent as `application/x-www-form-urlencoded`, or as `multipart/form-data` where it has a file. Either way
//! its text fields become [`Fields`], a list of names and values in the order sent; every form is read from those. A
//! form keeps what was typed, so that a page can show it again beside its faults, and becomes what the service works
//! with by its own method.
//!
//! | form | sent to | fields, files in italics |
//! |---|---|---|
//! | [`LoginForm`] | `POST /login` | `token`, `next` |
//! | none | `POST /logout` | |
//! | [`JoinForm`] | `POST /join` | `code`, `account`, `team` |
//! | [`SubmitForm`] | `POST /challenges/{name}/submit` | `mode`, `note`, *`package`* |
//! | none | `POST /submissions/{id}/cancel` | |
//! | [`NewDraftForm`] | `POST /operator/new` | `name`, `title` |
//! | [`Step1Form`] | `POST /operator/challenges/{name}/step/1` | `title`, `summary`, `keywords`, `visibility`, `remove_cover`, *`cover`* |
//! | [`Step2Form`] | `…/step/2` | `public_dataset`, `official_dataset`, `practice`, `metric`, `also_published` (repeated), `metric_options.*`, `score.*`, `tie_breaks[0]` … `[3]`, `remove_exploration`, *`exploration`* |
//! | [`Step3Form`] | `…/step/3` | `description` |
//! | [`Step4Form`] | `…/step/4` | `limits.*`, `rows`, `release.*`, `quotas.*`, `carbon.*`, `rules.*`, `seed` |
//! | none | `…/publish`, `…/close`, `…/rescore` | |
//! | [`InviteForm`] | `…/invite` | `label`, `budget`, `days` |
//! | none | `POST /operator/invites/{prefix}/revoke` | |
//! | [`BudgetForm`] | `…/budget` | `team`, `granted`, `revoked` |
//! | none | `POST /operator/submissions/{id}/withdraw`, `…/reinstate`, `…/rescore`, `…/cancel` | |
//!
//! Every form of a signed-in person has a hidden `csrf` ([`Fields::csrf`]). The forms of the steps have buttons called
//! `then` ([`After`]). A field of a step is called as the fault of a draft or a challenge names it ([`input_of`]), so
//! that a fault finds its input. A browser sends nothing of a file input that is left empty but a part without bytes:
//! that is no upload.

mod evaluation;
mod parse;
mod rules;
mod steps;
mod values;

use thimble_api::account::{InviteRequest, JoinRequest};
use thimble_api::challenge::Stage;
use thimble_api::draft::{Draft, Edit, NewDraft};
use thimble_api::operator::BudgetRequest;
use thimble_api::submission::MAX_NOTE_BYTES;
use thimble_api::{ErrorDetail, TeamName, Timestamp};
use thimble_challenge::result::Mode;

pub(crate) use evaluation::TIE_BREAKS;
pub use evaluation::{HOUSE_ROWS, HouseRow, Step2Form};
use parse::Reader;
pub use rules::Step4Form;
pub use steps::{Step1Form, Step3Form};

/// The text fields of a form, in the order sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Fields {
    /// The first value of that name; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every value of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box of that name was ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// What must equal the session's token.
    pub fn csrf(&self) -> &str {
        self.text("csrf")
    }

    fn line(&self, name: &str) -> String {
        self.text(name).trim().to_owned()
    }

    /// Lines end in a line feed, where browsers send two characters.
    fn lines(&self, name: &str) -> String {
        self.text(name).replace("\r\n", "\n")
    }
}

/// A step of writing a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// 1: title, cover, visibility.
    Tile,
    /// 2: data and evaluation.
    Data,
    /// 3: description.
    Description,
    /// 4: limits, quotas, budgets, invitations.
    Rules,
}

impl Step {
    /// Every step in order.
    pub const ALL: [Self; 4] = [Self::Tile, Self::Data, Self::Description, Self::Rules];

    /// 1 to 4, as in the address.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The step of that number.
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Tile),
            2 => Some(Self::Data),
            3 => Some(Self::Description),
            4 => Some(Self::Rules),
            _ => None,
        }
    }

    /// What pages call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tile => "Title and privacy",
            Self::Data => "Data and evaluation",
            Self::Description => "Description",
            Self::Rules => "Rules, budget, invitations",
        }
    }

    /// The step whose form can mend a fault of that path.
    pub fn of_fault(field: &str) -> Self {
        let input = input_of(field);
        let root = input.split(['.', '[']).next().unwrap_or_default();
        match root {
            "title" | "summary" | "keywords" | "visibility" | "cover" | "name" => Self::Tile,
            "description" => Self::Description,
            "limits" | "rows" | "release" | "quotas" | "carbon" | "rules" | "seed" => Self::Rules,
            _ => Self::Data,
        }
    }
}

/// The name of the input that a fault is about: the faults of a challenge file are named by its own paths, in which the
/// ranking and the data have a level of their own.
pub fn input_of(field: &str) -> String {
    let field = field.strip_prefix("draft.").unwrap_or(field);
    let starts =
        |part: &str| field == part || field.starts_with(&format!("{part}.")) || field.starts_with(&format!("{part}["));
    if starts("datasets.official_commitment") {
        return "official_dataset".to_owned();
    }
    if starts("datasets") || starts("task") || starts("fields") {
        return "public_dataset".to_owned();
    }
    if field.starts_with("statement.md") {
        return "description".to_owned();
    }
    let field = field.strip_prefix("ranking.").unwrap_or(field);
    match field.strip_prefix("options.") {
        Some(option) => format!("metric_options.{option}"),
        None => field.to_owned(),
    }
}

/// Which button a step was sent with, by the value of `then`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum After {
    /// `save`, or none: stay on the step.
    #[default]
    Save,
    /// `next`: the next step.
    Next,
    /// `publish`: save, then publish.
    Publish,
}

impl After {
    /// What was asked for.
    pub fn read(fields: &Fields) -> Self {
        match fields.text("then") {
            "next" => Self::Next,
            "publish" => Self::Publish,
            _ => Self::Save,
        }
    }
}

/// What a step changes of a published challenge.
pub fn edit_of(step: Step, draft: &Draft) -> Edit {
    match step {
        Step::Tile => Edit {
            title: Some(draft.title.clone()),
            summary: Some(draft.summary.clone()),
            keywords: Some(draft.keywords.clone()),
            visibility: Some(draft.visibility),
            ..Edit::default()
        },
        Step::Data => Edit::default(),
        Step::Description => Edit { description: Some(draft.description.clone()), ..Edit::default() },
        Step::Rules => Edit { quotas: Some(draft.quotas.clone()), rules: Some(draft.rules), ..Edit::default() },
    }
}

/// Whether what is measured, and on what, can still be changed.
pub const fn is_open(stage: Stage) -> bool {
    matches!(stage, Stage::Draft)
}

/// Signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginForm {
    /// The bearer token. Never shown again.
    pub token: String,
    /// Where to go then: see [`LoginForm::next`].
    next: String,
}

impl LoginForm {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { token: fields.line("token"), next: fields.line("next") }
    }

    /// An empty form that leads to `next`.
    pub fn leading_to(next: &str) -> Self {
        Self { token: String::new(), next: next.to_owned() }
    }

    /// A path of this service; `/` for everything else, so that no link can lead from here to another site.
    pub fn next(&self) -> &str {
        let is_path = self.next.starts_with('/') && !self.next.starts_with("//");
        let is_plain = self.next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if is_path && is_plain { &self.next } else { "/" }
    }
}

/// Accepts an invitation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinForm {
    /// The code.
    pub code: String,
    /// The new account; empty when signed in.
    pub account: String,
    /// Its team; may be empty.
    pub team: String,
}

impl JoinForm {
    /// Reads the form. `GET /join?code=` has the first field.
    pub fn read(fields: &Fields) -> Self {
        Self { code: fields.line("code"), account: fields.line("account"), team: fields.line("team") }
    }

    /// The request, or its faults.
    pub fn request(&self, signed_in: bool) -> Result<JoinRequest, Vec<ErrorDetail>> {
        let mut reader = Reader::default();
        let code = reader.required("code", &self.code);
        let account = if signed_in { None } else { reader.parsed("account", &self.account) };
        let team = if signed_in { None } else { reader.optional("team", &self.team) };
        reader.finish(JoinRequest { code, account, team })
    }
}

/// Submits a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitForm {
    /// `validation` or `official`.
    pub mode: String,
    /// At most 1,024 bytes.
    pub note: String,
}

impl SubmitForm {
    /// Reads the form, without its file.
    pub fn read(fields: &Fields) -> Self {
        Self { mode: fields.line("mode"), note: fields.lines("note") }
    }

    /// Mode and note, or their faults.
    pub fn values(&self) -> Result<(Mode, String), Vec<ErrorDetail>> {
        let mut reader = Reader::default();
        let mode = match self.mode.as_str() {
            "" | "validation" => Mode::Validation,
            "official" => Mode::Official,
            _ => {
                reader.fault("mode", "must be validation or official");
                Mode::Validation
            }
        };
        if self.note.len() > MAX_NOTE_BYTES {
            reader.fault("note", format!("must have at most {MAX_NOTE_BYTES} bytes, has {}", self.note.len()));
        }
        reader.finish((mode, self.note.clone()))
    }
}

/// Begins a challenge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewDraftForm {
    /// The last part of its address.
    pub name: String,
    /// 1 to 82 characters.
    pub title: String,
}

impl NewDraftForm {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { name: fields.line("name"), title: fields.line("title") }
    }

    /// The request, or its faults.
    pub fn request(&self) -> Result<NewDraft, Vec<ErrorDetail>> {
        let mut reader = Reader::default();
        let name = reader.parsed("name", &self.name);
        let title = reader.required("title", &self.title);
        let faults = reader.into_faults();
        name.filter(|_| faults.is_empty()).map(|name| NewDraft { name, title }).ok_or(faults)
    }
}

/// Invites someone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InviteForm {
    /// For whom.
    pub label: String,
    /// An amount such as `200PF`; may be empty.
    pub budget: String,
    /// Days until the code ends, 1 to 365; may be empty.
    pub days: String,
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

impl InviteForm {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { label: fields.line("label"), budget: fields.line("budget"), days: fields.line("days") }
    }

    /// The request, or its faults.
    pub fn request(&self, now: Timestamp) -> Result<InviteRequest, Vec<ErrorDetail>> {
        let mut reader = Reader::default();
        let label = reader.required("label", &self.label);
        let budget = reader.optional("budget", &self.budget);
        let days: Option<i64> = reader.optional_number("days", &self.days);
        if days.is_some_and(|days| !(1..=365).contains(&days)) {
            reader.fault("days", "must be 1 to 365");
        }
        let expires_at = days.map(|days| now.plus_millis(days.saturating_mul(DAY)));
        reader.finish(InviteRequest { label, budget, expires_at })
    }
}

/// Changes the budget of a team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BudgetForm {
    /// Whose.
    pub team: String,
    /// An amount such as `200PF`.
    pub granted: String,
    /// Takes it away.
    pub revoked: bool,
}

impl BudgetForm {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { team: fields.line("team"), granted: fields.line("granted"), revoked: fields.is_ticked("revoked") }
    }

    /// The team and the request, or their faults.
    pub fn request(&self) -> Result<(TeamName, BudgetRequest), Vec<ErrorDetail>> {
        let mut reader = Reader::default();
        let team = reader.parsed("team", &self.team);
        let granted = reader.parsed("granted", &self.granted);
        let faults = reader.into_faults();
        match (team, granted) {
            (Some(team), Some(granted)) => Ok((team, BudgetRequest { granted, revoked: self.revoked })),
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests;
