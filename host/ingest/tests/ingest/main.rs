//! What an ingestion promises: every fault has its own message with file and row, every format of every task gives the dataset
//! that it says, and no group, series or time is in two splits.

mod directory;
mod hostile;
mod pictures;
mod preflight;
mod splits;
mod tables;

type TestResult = Result<(), Box<dyn std::error::Error>>;
