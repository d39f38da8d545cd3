//! What the service does, once: the interface for programs and the pages call the same functions.

pub(crate) mod accounts;
pub(crate) mod challenges;
pub(crate) mod drafts;
pub(crate) mod running;
pub(crate) mod submissions;
