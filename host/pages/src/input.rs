//! Inputs of forms: labelled, explained, with their faults beside them.

use maud::{Markup, html};
use thimble_api::ErrorDetail;

use crate::forms::input_of;
use crate::layout::input_id;
use crate::text::{foreign, plain};

/// The faults of an input: those of its name, and of what is inside what it names.
pub(crate) fn faults_of<'a>(name: &'a str, faults: &'a [ErrorDetail]) -> impl Iterator<Item = &'a ErrorDetail> {
    faults.iter().filter(move |fault| {
        let input = input_of(&fault.field);
        input.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// An input with its faults after it.
pub(crate) fn marked(name: &str, faults: &[ErrorDetail], input: &Markup) -> Markup {
    html! {
        (input)
        @for fault in faults_of(name, faults) { span.fault { (foreign(&fault.message)) } }
    }
}

/// What a form is shown with: the faults of what was just sent, and what publishing would refuse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// Faults of what was just sent.
    pub(crate) faults: &'a [ErrorDetail],
    /// What publishing would refuse.
    pub(crate) missing: &'a [ErrorDetail],
}

/// A line of text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// As [`crate::forms`] has it.
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) value: &'a str,
    /// What to write, with its limits; may be empty.
    pub(crate) hint: &'a str,
    /// The type of the input, `text` by default.
    pub(crate) kind: &'a str,
    /// Characters at most.
    pub(crate) most: Option<u32>,
}

impl<'a> Line<'a> {
    pub(crate) const fn new(name: &'a str, label: &'a str, value: &'a str, hint: &'a str) -> Self {
        Self { name, label, value, hint, kind: "text", most: None }
    }
}

impl Inputs<'_> {
    /// Both kinds of faults of an input.
    pub(crate) fn after(&self, name: &str) -> Markup {
        self.listed(faults_of(name, self.faults), faults_of(name, self.missing))
    }

    /// Faults of what a group of inputs is together, such as a sum.
    pub(crate) fn together(&self, name: &str) -> Markup {
        let exactly = |fault: &&ErrorDetail| input_of(&fault.field) == name;
        self.listed(self.faults.iter().filter(exactly), self.missing.iter().filter(exactly))
    }

    fn listed<'b>(
        &self,
        faults: impl Iterator<Item = &'b ErrorDetail>,
        missing: impl Iterator<Item = &'b ErrorDetail>,
    ) -> Markup {
        let faults: Vec<_> = faults.collect();
        let missing: Vec<_> = missing.filter(|fault| !faults.contains(fault)).collect();
        html! {
            @if !(faults.is_empty() && missing.is_empty()) {
                span.faults {
                    @for fault in faults { span.fault { (foreign(&fault.message)) } }
                    @for fault in missing { span.missing { "To publish: " (foreign(&fault.message)) } }
                }
            }
        }
    }

    pub(crate) fn is_faulty(&self, name: &str) -> Option<&'static str> {
        faults_of(name, self.faults).next().map(|_| "true")
    }

    pub(crate) fn line(&self, line: &Line<'_>) -> Markup {
        let id = input_id(line.name);
        let hint = (!line.hint.is_empty()).then(|| format!("{id}-hint"));
        html! {
            p.field {
                label for=(id) { (line.label) }
                @if let Some(hint) = &hint { span.hint id=(hint) { (line.hint) } }
                input id=(id) type=(line.kind) name=(line.name) value=(plain(line.value)) maxlength=[line.most] dir=[(line.kind == "text").then_some("auto")]
                    aria-describedby=[hint.as_ref()] aria-invalid=[self.is_faulty(line.name)];
                (self.after(line.name))
            }
        }
    }

    /// Short lines, one after the other: name, label, value, hint.
    pub(crate) fn lines(&self, lines: &[(&str, &str, &str, &str)]) -> Markup {
        html! { div.fields { @for (name, label, value, hint) in lines { (self.line(&Line::new(name, label, value, hint))) } } }
    }

    /// A choice of one: value and text of each.
    pub(crate) fn select(
        &self,
        name: &str,
        label: &str,
        hint: &str,
        chosen: &str,
        options: &[(String, String)],
    ) -> Markup {
        let id = input_id(name);
        html! {
            p.field {
                label for=(id) { (label) }
                @if !hint.is_empty() { span.hint { (hint) } }
                select id=(id) name=(name) aria-invalid=[self.is_faulty(name)] {
                    @for (value, text) in options {
                        option value=(plain(value)) selected[value == chosen] { (plain(text)) }
                    }
                }
                (self.after(name))
            }
        }
    }

    /// A box to tick.
    pub(crate) fn tick(&self, name: &str, ticked: bool, words: &Markup) -> Markup {
        html! {
            label.choice {
                input id=(input_id(name)) type="checkbox" name=(name) value="yes" checked[ticked]; span { (words) }
            }
            (self.after(name))
        }
    }
}
