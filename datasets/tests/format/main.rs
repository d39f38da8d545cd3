//! The promises of the dataset format, from outside.

mod damaged;
mod fixture;
mod opening;
mod rules;
