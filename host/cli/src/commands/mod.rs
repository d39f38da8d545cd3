//! The subcommands, one file each.

pub(crate) mod challenge;
pub(crate) mod check;
pub(crate) mod compile_child;
pub(crate) mod dataset;
pub(crate) mod pack;
pub(crate) mod profile;
pub(crate) mod run;
pub(crate) mod tariff;
