//! The nodes of all trees as two arrays, which is also how they travel.

use thimble_sdk::{Parameters, Result};

/// Bits of a split's word that hold the feature; the others, but the sign, hold the first child.
const FEATURE_BITS: u32 = 12;
const FEATURE_MASK: i32 = (1 << FEATURE_BITS) - 1;
const MOST_FEATURES: usize = 1 << FEATURE_BITS;
const MOST_NODES: usize = 1 << (31 - FEATURE_BITS);

/// A node of a tree whose root is node 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    /// To `child` if the feature is at most the threshold, to the next node else.
    Split {
        feature: usize,
        threshold: f32,
        child: usize,
    },
    Leaf {
        class: usize,
    },
}

/// All nodes of all trees. `words[i]` is negative for a leaf, −1 − class; a split's holds the feature and the first of its
/// two children, which are neighbours.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Nodes {
    roots: Vec<i32>,
    words: Vec<i32>,
    /// 0 for leaves.
    thresholds: Vec<f32>,
}

impl Nodes {
    pub(crate) fn trees(&self) -> usize {
        self.roots.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Adds a tree.
    pub(crate) fn push_tree(&mut self, nodes: Vec<Node>) -> Result<()> {
        let start = self.words.len();
        if start + nodes.len() > MOST_NODES {
            return Err(format!("more than {MOST_NODES} nodes").into());
        }
        self.roots.push(start as i32);
        for node in nodes {
            let (word, threshold) = match node {
                Node::Leaf { class } => (-1 - class as i32, 0.0),
                Node::Split { feature, .. } if feature >= MOST_FEATURES => {
                    return Err(format!("feature {feature}, expected below {MOST_FEATURES}").into());
                }
                Node::Split { feature, threshold, child } => {
                    (((start + child) as i32) << FEATURE_BITS | feature as i32, threshold)
                }
            };
            self.words.push(word);
            self.thresholds.push(threshold);
        }
        Ok(())
    }

    /// Keeps the first trees, as many as `parameters` numbers can hold.
    pub(crate) fn fit(&mut self, parameters: u64) -> Result<()> {
        let end = |tree: usize| self.roots.get(tree).map_or(self.words.len(), |&root| root as usize);
        let trees = (0..self.trees()).take_while(|tree| (tree + 1 + 2 * end(tree + 1)) as u64 <= parameters).count();
        if trees == 0 {
            return Err(format!("one tree of {} nodes is more than {parameters} parameters", end(1)).into());
        }
        self.keep(trees);
        Ok(())
    }

    /// Keeps the first `trees` trees.
    pub(crate) fn keep(&mut self, trees: usize) {
        if let Some(&end) = self.roots.get(trees) {
            self.words.truncate(end as usize);
            self.thresholds.truncate(end as usize);
            self.roots.truncate(trees);
        }
    }

    /// What tree `tree` says of a row.
    pub(crate) fn class(&self, tree: usize, row: &[f32]) -> usize {
        let mut node = self.roots[tree] as usize;
        loop {
            let word = self.words[node];
            if word < 0 {
                return (-1 - word) as usize;
            }
            // As smartcore has it: what is not at most the threshold, a NaN too, goes to the second child.
            let below = row[(word & FEATURE_MASK) as usize] <= self.thresholds[node];
            node = (word >> FEATURE_BITS) as usize + usize::from(!below);
        }
    }

    pub(crate) fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("roots", &[self.roots.len()], self.roots.clone());
        parameters.push("nodes", &[self.words.len()], self.words.clone());
        parameters.push("thresholds", &[self.thresholds.len()], self.thresholds.clone());
        parameters
    }

    /// Takes the nodes of rows of `width` values and `classes` classes.
    pub(crate) fn from_parameters(mut parameters: Parameters, width: usize, classes: usize) -> Result<Self> {
        let lengths: Vec<usize> = parameters.as_slice().iter().map(|tensor| tensor.values.len()).collect();
        let &[trees, nodes, _] = lengths.as_slice() else {
            return Err(format!("{} tensors, expected 3", lengths.len()).into());
        };
        let nodes = Self {
            roots: parameters.take("roots", &[trees])?,
            words: parameters.take("nodes", &[nodes])?,
            thresholds: parameters.take("thresholds", &[nodes])?,
        };
        nodes.check(width, classes)?;
        Ok(nodes)
    }

    /// Fails unless every walk stays inside the arrays and ends: children come after their parent.
    fn check(&self, width: usize, classes: usize) -> Result<()> {
        let count = self.words.len();
        if self.roots.iter().any(|&root| !usize::try_from(root).is_ok_and(|root| root < count)) {
            return Err("a tree begins outside the nodes".into());
        }
        for (node, &word) in self.words.iter().enumerate() {
            let child = (word >> FEATURE_BITS) as usize;
            let sound = if word < 0 {
                ((-1 - word) as usize) < classes
            } else {
                ((word & FEATURE_MASK) as usize) < width && node < child && child + 1 < count
            };
            if !sound {
                return Err(format!("node {node} leads nowhere").into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x₂ ≤ 0.5 → class 1; otherwise x₀ ≤ −1 → class 0, else class 2.
    fn tree() -> Vec<Node> {
        vec![
            Node::Split { feature: 2, threshold: 0.5, child: 1 },
            Node::Leaf { class: 1 },
            Node::Split { feature: 0, threshold: -1.0, child: 3 },
            Node::Leaf { class: 0 },
            Node::Leaf { class: 2 },
        ]
    }

    fn two_trees() -> Result<Nodes> {
        let mut nodes = Nodes::default();
        nodes.push_tree(vec![Node::Leaf { class: 2 }])?;
        nodes.push_tree(tree())?;
        Ok(nodes)
    }

    #[test]
    fn a_walk_ends_where_the_comparisons_say() -> Result<()> {
        let nodes = two_trees()?;
        let answers = [[0.0, 0.0, 0.5], [-1.0, 0.0, 0.6], [-0.9, 0.0, 0.6], [f32::NAN, 0.0, f32::NAN]];
        assert_eq!(answers.map(|row| nodes.class(1, &row)), [1, 0, 2, 2]);
        assert_eq!(nodes.class(0, &[0.0; 3]), 2);
        Ok(())
    }

    #[test]
    fn parameters_make_the_same_nodes_and_must_be_sound() -> Result<()> {
        let nodes = two_trees()?;
        assert_eq!(nodes.parameters().count(), 2 + 2 * 6);
        assert_eq!(Nodes::from_parameters(nodes.parameters(), 3, 3)?, nodes);
        assert!(Nodes::from_parameters(nodes.parameters(), 2, 3).is_err());
        assert!(Nodes::from_parameters(nodes.parameters(), 3, 2).is_err());
        let looping = Nodes { words: vec![0], thresholds: vec![0.0], roots: vec![0] };
        assert!(Nodes::from_parameters(looping.parameters(), 3, 3).is_err());
        Ok(())
    }

    #[test]
    fn only_trees_that_fit_are_kept() -> Result<()> {
        for (limit, trees) in [(14, 2), (13, 1), (3, 1)] {
            let mut nodes = two_trees()?;
            nodes.fit(limit)?;
            assert_eq!(nodes.trees(), trees, "{limit}");
            assert!(nodes.parameters().count() <= limit);
        }
        assert!(two_trees()?.fit(2).is_err());
        Ok(())
    }
}
