//! The subcommands, one file each.

pub(crate) mod build;
pub(crate) mod challenge;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod compile_child;
pub(crate) mod dataset;
pub(crate) mod explore;
pub(crate) mod export;
pub(crate) mod new;
pub(crate) mod pack;
pub(crate) mod profile;
pub(crate) mod run;
pub(crate) mod tariff;
