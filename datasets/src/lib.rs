//! Datasets: format, ingestion, generators and statistics.
//!
//! A dataset is a directory: `dataset.json` (the [`Metadataset`]) and one Arrow IPC file per split, whose fields are those of
//! its task ([`schema`]). [`write()`] makes one from [`Tables`], [`DatasetWriter`] from rows that do not fit in memory, [`Dataset::open`] checks every byte of it and hands out memory-mapped columns. Its identity is the digest of
//! its content ([`content_digest`]), whatever the files that hold it. [`imagenet_pareto`], [`frugal_digits`] and
//! [`frugal_embeddings`] generate data, [`examples`] has a small dataset of every task, [`PublicData`] is what of it anyone can own; a [`Seed`] and an [`OperatorSecret`] are what an operator keeps
//! secret.

mod content;
mod decode;
mod describe;
mod digest;
mod encode;
mod files;
mod json;
mod map;
mod metadataset;
mod open;
mod printable;
mod public;
mod rotation;
mod rules;
mod secret;
mod seed;
mod spool;
mod stream;
mod table;
mod task;
mod write;

pub mod examples;
pub mod frugal_digits;
pub mod frugal_embeddings;
pub mod imagenet_pareto;
pub mod limits;
pub mod schema;

pub use content::content_digest;
pub use decode::DecodeError;
pub use describe::{ClassCounts, Description, SplitDescription};
pub use digest::{Digest, DigestError};
pub use files::FileError;
pub use metadataset::{
    DType, Field, LabelledSplit, Metadataset, MetadatasetError, Role, Split, Splits, TableColumn, TestSplit,
};
pub use open::{Dataset, OpenError, SplitTable, TargetsError};
pub use printable::printable;
pub use public::{PUBLIC_DATASETS, PublicData};
pub use secret::{OperatorSecret, SecretError};
pub use seed::{Seed, SeedError};
pub use table::{Column, ColumnValues, Table, TableError, Tables, Texts, Values};
pub use task::{Classes, Pixels, Points, Skeleton, TaskKind};
pub use write::{DatasetWriter, WriteError, write};
