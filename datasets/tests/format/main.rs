//! The promises of the dataset format, from outside.

mod damaged;
mod fixture;
mod hostile;
mod opening;
mod pieces;
mod round_trip;
mod rules;
mod samples;
mod schemas;
mod values;
