//! Values that are expensive to make and may be a little old, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Parts with a lock each, so that readers seldom wait for each other.
const SHARDS: usize = 16;

/// A map whose entries end, whose weight has a limit, and whose misses are loaded once however many wait for them.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    hasher: RandomState,
    most_entries: usize,
    most_weight: usize,
}

#[derive(Debug)]
struct Shard<K, V> {
    entries: HashMap<K, Entry<V>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: Option<(V, Instant)>,
    weight: usize,
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// A value that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded<V> {
    /// The value.
    pub(crate) value: V,
    /// How long it may be used.
    pub(crate) ttl: Duration,
    /// What it counts in the cache's limit, in bytes.
    pub(crate) weight: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// At most about so many entries, and values of about so many bytes.
    pub(crate) fn new(most_entries: usize, most_weight: usize) -> Self {
        let shard = || Mutex::new(Shard { entries: HashMap::new(), weight: 0 });
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            most_entries: most_entries.div_ceil(SHARDS),
            most_weight: most_weight.div_ceil(SHARDS),
        }
    }

    /// The value, if there is one that has not ended.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let shard = self.shard(key);
        let (value, until) = shard.entries.get(key)?.value.as_ref()?;
        (Instant::now() < *until).then(|| value.clone())
    }

    /// The value; where there is none, `load` makes it. Of those who ask at the same time one loads, the others wait for it.
    pub(crate) async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl AsyncFnOnce(Option<V>) -> Result<Loaded<V>, E>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let loading = {
            let mut shard = self.shard(key);
            self.make_room(&mut shard, key);
            let entry = shard.entries.entry(key.clone()).or_insert_with(|| Entry {
                value: None,
                weight: 0,
                loading: Arc::default(),
            });
            Arc::clone(&entry.loading)
        };
        let _guard = loading.lock().await;
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let before = self.shard(key).entries.get(key).and_then(|entry| entry.value.as_ref().map(|(v, _)| v.clone()));
        let loaded = load(before).await?;
        self.put(key, loaded.value.clone(), loaded.ttl, loaded.weight);
        Ok(loaded.value)
    }

    /// Keeps a value.
    pub(crate) fn put(&self, key: &K, value: V, ttl: Duration, weight: usize) {
        let mut shard = self.shard(key);
        self.make_room(&mut shard, key);
        let entry = shard.entries.entry(key.clone()).or_insert_with(|| Entry {
            value: None,
            weight: 0,
            loading: Arc::default(),
        });
        let before = std::mem::replace(&mut entry.weight, weight);
        entry.value = Some((value, Instant::now() + ttl));
        shard.weight = shard.weight.saturating_sub(before).saturating_add(weight);
    }

    /// Forgets a value: the next who asks loads it.
    pub(crate) fn forget(&self, key: &K) {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.entries.remove(key) {
            shard.weight = shard.weight.saturating_sub(entry.weight);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.entries.clear();
            shard.weight = 0;
        }
    }

    /// Entries, also those that have ended.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).entries.len()).sum()
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, V>> {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        // A thread that panicked inside has left at worst an entry too few: the map is whole.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Below the limits before `key` comes: what has ended goes first, then everything that is not being loaded.
    fn make_room(&self, shard: &mut Shard<K, V>, key: &K) {
        let full = |shard: &Shard<K, V>| {
            let comes = usize::from(!shard.entries.contains_key(key));
            shard.entries.len() + comes > self.most_entries || shard.weight > self.most_weight
        };
        if !full(shard) {
            return;
        }
        let now = Instant::now();
        let is_loading = |entry: &Entry<V>| Arc::strong_count(&entry.loading) > 1;
        let lasts = |entry: &Entry<V>| entry.value.as_ref().is_some_and(|(_, until)| now < *until);
        shard.entries.retain(|_, entry| is_loading(entry) || lasts(entry));
        if full(shard) {
            shard.entries.retain(|_, entry| is_loading(entry));
        }
        shard.weight = shard.entries.values().map(|entry| entry.weight).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn of_those_who_ask_at_once_one_loads() {
        let cache = Arc::new(Cache::<u8, usize>::new(10, 1_000));
        let loads = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
            async move {
                let load = async |_| {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(Loaded { value: loads.fetch_add(1, Ordering::SeqCst), ttl: LONG, weight: 1 })
                };
                cache.get_or_load(&7, load).await
            }
        };
        let answers = futures_util::future::join_all((0..50).map(|_| ask())).await;
        assert!(answers.into_iter().all(|answer| answer == Ok(0)));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn entries_and_weight_are_bounded() {
        let cache = Cache::<usize, usize>::new(100, usize::MAX);
        (0..10_000).for_each(|key| cache.put(&key, key, LONG, 1));
        assert!(cache.len() <= 100 + SHARDS, "{}", cache.len());
        let heavy = Cache::<usize, usize>::new(usize::MAX, 1_600);
        (0..10_000).for_each(|key| heavy.put(&key, key, LONG, 100));
        assert!(heavy.len() <= 2 * SHARDS, "{}", heavy.len());
    }

    #[test]
    fn what_has_ended_or_was_forgotten_is_not_given_out() {
        let cache = Cache::<u8, u8>::new(10, 1_000);
        cache.put(&1, 1, Duration::ZERO, 1);
        cache.put(&2, 2, LONG, 1);
        assert_eq!((cache.get(&1), cache.get(&2)), (None, Some(2)));
        cache.forget(&2);
        assert_eq!(cache.get(&2), None);
    }
}
