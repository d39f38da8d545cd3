//! The subcommands, one file each.

pub(crate) mod backup;
pub(crate) mod build;
pub(crate) mod challenge;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod compile_child;
pub(crate) mod dataset;
pub(crate) mod explore;
pub(crate) mod export;
pub(crate) mod ingest;
pub(crate) mod invite;
pub(crate) mod metrics;
pub(crate) mod metrics_eval;
pub(crate) mod new;
pub(crate) mod pack;
pub(crate) mod profile;
pub(crate) mod register;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod tariff;
pub(crate) mod token;
pub(crate) mod worker;
