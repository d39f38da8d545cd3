//! The datasets that anyone can own, because anyone can generate them.

use crate::digest::Digest;
use crate::table::Tables;
use crate::{frugal_digits, frugal_embeddings, imagenet_pareto};

/// A dataset that is made from a published seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicData {
    /// [`imagenet_pareto::canonical`].
    ImagenetParetoCanonical,
    /// [`frugal_digits::public`].
    FrugalDigits,
    /// [`frugal_embeddings::public`].
    FrugalEmbeddings,
}

/// Digests of the datasets that anyone can own. Official runs refuse them, unless a challenge is marked as practice.
pub const PUBLIC_DATASETS: &[Digest] = &[
    PublicData::ImagenetParetoCanonical.digest(),
    PublicData::FrugalDigits.digest(),
    PublicData::FrugalEmbeddings.digest(),
];

impl PublicData {
    /// The dataset's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::CANONICAL_NAME,
            Self::FrugalDigits => frugal_digits::PUBLIC_NAME,
            Self::FrugalEmbeddings => frugal_embeddings::PUBLIC_NAME,
        }
    }

    /// The digest of its content.
    pub const fn digest(self) -> Digest {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::CANONICAL_DIGEST,
            Self::FrugalDigits => frugal_digits::PUBLIC_DIGEST,
            Self::FrugalEmbeddings => frugal_embeddings::PUBLIC_DIGEST,
        }
    }

    /// Generates it; takes up to a few seconds.
    pub fn tables(self) -> Tables {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::canonical(),
            Self::FrugalDigits => frugal_digits::public(),
            Self::FrugalEmbeddings => frugal_embeddings::public(),
        }
    }
}
