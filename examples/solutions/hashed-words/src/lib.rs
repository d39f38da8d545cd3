//! Logistic regression on words and pairs of words, each hashed to one of some thousand weights.
//!
//! A text is the set of its words and of its pairs of neighbours; most of the weights are 0 and stay so. Trained by
//! AdaGrad (J. Duchi, E. Hazan and Y. Singer, 2011), which gives rare words larger steps.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use thimble_sdk::nn::softmax;
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

/// Weights of each class. Words that share one are rare at this number.
const BUCKETS: usize = 1 << 13;
/// Passes over the training split.
const EPOCHS: u64 = 20;
const LEARNING_RATE: f32 = 0.3;
/// Decay of the weights of the words in a text, in each step.
const DECAY: f32 = 1e-3;

/// Trains by AdaGrad.
#[derive(Debug)]
pub struct HashedWords;

/// The trained classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    classes: usize,
    /// For each bucket, a weight of each class.
    weight: Vec<f32>,
}

/// The buckets of a text's words and pairs, each once. The first is that of every text.
fn buckets(text: &str) -> Vec<usize> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut buckets = BTreeSet::from([0]);
    buckets.extend(words.iter().map(|word| bucket(&[word])));
    buckets.extend(words.windows(2).map(bucket));
    buckets.into_iter().collect()
}

/// FNV-1a of words with a zero byte after each, without bucket 0.
fn bucket(words: &[&str]) -> usize {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    // The low bits of FNV alone depend on little.
    1 + ((hash ^ (hash >> 32)) % (BUCKETS as u64 - 1)) as usize
}

impl Words {
    /// The probability of each class.
    fn probabilities(&self, buckets: &[usize]) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; self.classes];
        for bucket in buckets {
            let weights = &self.weight[bucket * self.classes..][..self.classes];
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight);
        }
        let mut probabilities = vec![0.0; self.classes];
        softmax(&scores, self.classes, 1.0, &mut probabilities)?;
        Ok(probabilities)
    }

    /// One step of AdaGrad towards a class; gives the probability that the class had.
    fn learn(&mut self, squares: &mut [f32], buckets: &[usize], class: usize) -> Result<f32> {
        let probabilities = self.probabilities(buckets)?;
        for bucket in buckets {
            for (other, probability) in probabilities.iter().enumerate() {
                let place = bucket * self.classes + other;
                let error = probability - if other == class { 1.0 } else { 0.0 };
                let gradient = error + DECAY * self.weight[place];
                squares[place] += gradient * gradient;
                self.weight[place] -= LEARNING_RATE * gradient / (squares[place].sqrt() + 1e-6);
            }
        }
        probabilities.get(class).copied().ok_or_else(|| "a label is no class".into())
    }
}

impl Solution for HashedWords {
    type Model = Words;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Words> {
        let mut texts = Vec::new();
        for batch in train.by_ref() {
            let labels = batch.labels()?.iter().map(|&label| label as usize);
            texts.extend(batch.texts()?.iter().map(|text| buckets(text)).zip(labels));
        }
        let weights = BUCKETS * metadata.num_classes;
        let mut words = Words { classes: metadata.num_classes, weight: vec![0.0; weights] };
        let mut squares = vec![0.0; weights];
        let mut rng = Rng::seeded(metadata.seed);
        for epoch in 0..EPOCHS {
            rng.shuffle(&mut texts);
            let mut certainty = 0.0;
            for (buckets, class) in &texts {
                certainty += words.learn(&mut squares, buckets, *class)?;
            }
            journal::record("mean certainty", epoch, f64::from(certainty) / texts.len().max(1) as f64);
        }
        Ok(words)
    }
}

impl Model for Words {
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("weight", &[BUCKETS, self.classes], self.weight.clone());
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let classes = metadata.num_classes;
        Ok(Self { classes, weight: parameters.take_f32("weight", &[BUCKETS, classes])? })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let rows = inputs.texts()?.iter().map(|text| self.probabilities(&buckets(text)));
        let scores: Vec<Vec<f32>> = rows.collect::<Result<_>>()?;
        Ok(Predictions::scores(inputs.rows(), scores.concat()))
    }
}

thimble_sdk::export!(HashedWords);

#[cfg(test)]
mod tests {
    use thimble_sdk::nn::count_correct;
    use thimble_sdk::{Kind, Tensor};

    use super::*;

    fn split(texts: &[&str], labels: &[i64]) -> Result<Loader> {
        let texts: Vec<String> = texts.iter().map(|&text| text.into()).collect();
        let text = Tensor::new("text", &[texts.len()], texts);
        Loader::from_rows(vec![text], vec![Tensor::new("label", &[labels.len()], labels.to_vec())], 8)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata { num_classes: 2, ..Metadata::of(Kind::TextClassification) };
        let mut train = split(&["not good", "very good", "not bad", "very bad"], &[0, 1, 1, 0])?;
        let model = HashedWords::solve(&mut train, &mut Loader::empty(), &metadata)?;
        let model = Words::from_parameters(model.parameters(), &metadata)?;
        // Which only the pairs tell.
        let batch = split(&["Very GOOD!", "it is not bad", "not good", ""], &[1, 1, 0, 0])?.next().ok_or("no batch")?;
        let scores = model.predict(&batch)?;
        assert!(count_correct(scores.get()?, batch.labels()?, 2)? >= 3);
        Ok(())
    }

    #[test]
    fn words_are_found_whatever_stands_between_them() {
        assert_eq!(buckets("Refund, please"), buckets("refund\nPLEASE"));
        assert_eq!(buckets("a b a").len(), 5);
        assert_eq!(buckets(""), [0]);
        assert!(buckets("ab c") != buckets("a bc"));
    }
}
