//! The datasets that anyone can own, because anyone can generate them.

use crate::digest::Digest;
use crate::table::Tables;
use crate::{examples, frugal_digits, frugal_embeddings, imagenet_pareto};

/// A dataset that anyone can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicData {
    /// [`imagenet_pareto::canonical`].
    ImagenetParetoCanonical,
    /// [`frugal_digits::public`].
    FrugalDigits,
    /// [`frugal_embeddings::public`].
    FrugalEmbeddings,
    /// [`examples::digit_images::public`].
    DigitImages,
    /// [`examples::ticket_routing::public`].
    TicketRouting,
    /// [`examples::breast_cancer::public`].
    BreastCancer,
    /// [`examples::shape_boxes::public`].
    ShapeBoxes,
    /// [`examples::shape_pixels::public`].
    ShapePixels,
    /// [`examples::shape_masks::public`].
    ShapeMasks,
    /// [`examples::kite_corners::public`].
    KiteCorners,
    /// [`examples::diabetes_progression::public`].
    DiabetesProgression,
    /// [`examples::sunspots::public`].
    Sunspots,
    /// [`examples::rossi::public`].
    Rossi,
}

/// Digests of the datasets that anyone can own. Official runs refuse them, unless a challenge is marked as practice.
pub const PUBLIC_DATASETS: &[Digest] = &[
    PublicData::ImagenetParetoCanonical.digest(),
    PublicData::FrugalDigits.digest(),
    PublicData::FrugalEmbeddings.digest(),
    PublicData::DigitImages.digest(),
    PublicData::TicketRouting.digest(),
    PublicData::BreastCancer.digest(),
    PublicData::ShapeBoxes.digest(),
    PublicData::ShapePixels.digest(),
    PublicData::ShapeMasks.digest(),
    PublicData::KiteCorners.digest(),
    PublicData::DiabetesProgression.digest(),
    PublicData::Sunspots.digest(),
    PublicData::Rossi.digest(),
];

impl PublicData {
    /// Those of [`examples`], in the order of [`crate::TaskKind`].
    pub const EXAMPLES: [Self; 10] = [
        Self::DigitImages,
        Self::TicketRouting,
        Self::BreastCancer,
        Self::ShapeBoxes,
        Self::ShapePixels,
        Self::ShapeMasks,
        Self::KiteCorners,
        Self::DiabetesProgression,
        Self::Sunspots,
        Self::Rossi,
    ];

    /// The dataset's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::CANONICAL_NAME,
            Self::FrugalDigits => frugal_digits::PUBLIC_NAME,
            Self::FrugalEmbeddings => frugal_embeddings::PUBLIC_NAME,
            Self::DigitImages => examples::digit_images::NAME,
            Self::TicketRouting => examples::ticket_routing::NAME,
            Self::BreastCancer => examples::breast_cancer::NAME,
            Self::ShapeBoxes => examples::shape_boxes::NAME,
            Self::ShapePixels => examples::shape_pixels::NAME,
            Self::ShapeMasks => examples::shape_masks::NAME,
            Self::KiteCorners => examples::kite_corners::NAME,
            Self::DiabetesProgression => examples::diabetes_progression::NAME,
            Self::Sunspots => examples::sunspots::NAME,
            Self::Rossi => examples::rossi::NAME,
        }
    }

    /// The digest of its content.
    pub const fn digest(self) -> Digest {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::CANONICAL_DIGEST,
            Self::FrugalDigits => frugal_digits::PUBLIC_DIGEST,
            Self::FrugalEmbeddings => frugal_embeddings::PUBLIC_DIGEST,
            Self::DigitImages => examples::digit_images::DIGEST,
            Self::TicketRouting => examples::ticket_routing::DIGEST,
            Self::BreastCancer => examples::breast_cancer::DIGEST,
            Self::ShapeBoxes => examples::shape_boxes::DIGEST,
            Self::ShapePixels => examples::shape_pixels::DIGEST,
            Self::ShapeMasks => examples::shape_masks::DIGEST,
            Self::KiteCorners => examples::kite_corners::DIGEST,
            Self::DiabetesProgression => examples::diabetes_progression::DIGEST,
            Self::Sunspots => examples::sunspots::DIGEST,
            Self::Rossi => examples::rossi::DIGEST,
        }
    }

    /// Generates it; takes up to a few seconds.
    pub fn tables(self) -> Tables {
        match self {
            Self::ImagenetParetoCanonical => imagenet_pareto::canonical(),
            Self::FrugalDigits => frugal_digits::public(),
            Self::FrugalEmbeddings => frugal_embeddings::public(),
            Self::DigitImages => examples::digit_images::public(),
            Self::TicketRouting => examples::ticket_routing::public(),
            Self::BreastCancer => examples::breast_cancer::public(),
            Self::ShapeBoxes => examples::shape_boxes::public(),
            Self::ShapePixels => examples::shape_pixels::public(),
            Self::ShapeMasks => examples::shape_masks::public(),
            Self::KiteCorners => examples::kite_corners::public(),
            Self::DiabetesProgression => examples::diabetes_progression::public(),
            Self::Sunspots => examples::sunspots::public(),
            Self::Rossi => examples::rossi::public(),
        }
    }
}
