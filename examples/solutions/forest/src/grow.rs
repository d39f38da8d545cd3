//! From rows to trees, by smartcore.

use serde::Deserialize;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::DecisionTreeClassifierParameters;
use thimble_sdk::{Error, Loader, Metadata, Result};

use crate::nodes::{Node, Nodes};

/// Levels of a tree, the root included.
const DEPTH: u16 = 13;

/// What smartcore writes of a forest, field by field in its order: its own fields are private.
#[derive(Deserialize)]
struct Grown {
    trees: Option<Vec<Tree>>,
    /// The labels, in smartcore's order.
    classes: Option<Vec<i64>>,
}

#[derive(Deserialize)]
struct Tree {
    nodes: Vec<TreeNode>,
    _parameters: Option<DecisionTreeClassifierParameters>,
    _num_classes: usize,
    _classes: Vec<i64>,
    _depth: u16,
    _num_features: usize,
}

#[derive(Deserialize)]
struct TreeNode {
    /// Index of a class; the answer of a leaf.
    output: usize,
    _samples: usize,
    split_feature: usize,
    split_value: Option<f64>,
    _split_score: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
    _impurity: Option<f64>,
}

/// Grows `trees` trees on all rows of `train`.
pub(crate) fn grow(train: &mut Loader, metadata: &Metadata, trees: u16) -> Result<Nodes> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for batch in train.by_ref() {
        let features = batch.features()?;
        if features.width != metadata.input_dim {
            return Err(format!("rows of {} values, expected {}", features.width, metadata.input_dim).into());
        }
        values.extend_from_slice(features.values);
        labels.extend_from_slice(batch.labels()?);
    }
    let failed = |error: &dyn std::fmt::Display| Error::from(format!("smartcore: {error}"));
    let x = DenseMatrix::new(labels.len(), metadata.input_dim, values, false).map_err(|error| failed(&error))?;
    let parameters = RandomForestClassifierParameters::default()
        .with_n_trees(trees)
        .with_max_depth(DEPTH)
        .with_min_samples_leaf(2)
        .with_seed(metadata.seed);
    let forest = RandomForestClassifier::fit(&x, &labels, parameters).map_err(|error| failed(&error))?;

    let bytes = postcard::to_allocvec(&forest).map_err(|error| failed(&error))?;
    drop(forest);
    let (grown, _): (Grown, _) = postcard::take_from_bytes(&bytes).map_err(|error| failed(&error))?;
    let (Some(trees), Some(classes)) = (grown.trees, grown.classes) else { return Err("smartcore: no trees".into()) };
    let mut nodes = Nodes::default();
    for tree in trees {
        nodes.push_tree(tree.nodes.into_iter().map(|node| node.convert(&classes)).collect::<Result<Vec<_>>>()?)?;
    }
    Ok(nodes)
}

impl TreeNode {
    fn convert(self, classes: &[i64]) -> Result<Node> {
        match self {
            // Children are made in pairs; `Nodes` relies on it.
            Self { true_child: Some(left), false_child: Some(right), split_value: Some(threshold), .. }
                if right == left + 1 =>
            {
                Ok(Node::Split { feature: self.split_feature, threshold: threshold_below(threshold), child: left })
            }
            Self { true_child: None, .. } => {
                let class = classes.get(self.output).and_then(|&class| usize::try_from(class).ok());
                Ok(Node::Leaf { class: class.ok_or("smartcore: a leaf without a class")? })
            }
            _ => Err("smartcore: a split without two neighbouring children".into()),
        }
    }
}

/// The largest f32 that is not above `threshold`: x ≤ `threshold` says the same of it for every f32 x.
fn threshold_below(threshold: f64) -> f32 {
    let rounded = threshold as f32;
    if f64::from(rounded) > threshold { rounded.next_down() } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_threshold_parts_the_same_floats() {
        for (low, high) in [(1.0_f32, 1.0_f32.next_up()), (-0.3, (-0.3_f32).next_up()), (2.5, 7.25)] {
            let threshold = (f64::from(low) + f64::from(high)) / 2.0;
            assert!(low <= threshold_below(threshold) && high > threshold_below(threshold), "{low} {high}");
        }
    }
}
