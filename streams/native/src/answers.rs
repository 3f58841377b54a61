//! What the domain answered about texts. The rules are Python's; here they are only remembered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64;

const TEXTS_MAX: usize = 262_144;
const BYTES_MAX: usize = 32 << 20;
/// A longer text hardly comes again.
const TEXT_BYTES_MAX: usize = 1_024;

/// Hashes byte strings, whole.
#[derive(Default)]
pub struct Xxh3(u64);

impl Hasher for Xxh3 {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
    fn write_usize(&mut self, _length: usize) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Answers by text, up to a limit. None: the domain has to see the whole record.
pub struct Answers<T> {
    by_text: HashMap<Box<[u8]>, Option<T>, BuildHasherDefault<Xxh3>>,
    bytes: usize,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Answers {
            by_text: HashMap::default(),
            bytes: 0,
        }
    }
}

impl<T: Clone> Answers<T> {
    /// Return the answer that is remembered, else the one that `ask` gives.
    pub fn get<E>(&mut self, text: &[u8], ask: impl FnOnce() -> Result<Option<T>, E>) -> Result<Option<T>, E> {
        if let Some(answer) = self.by_text.get(text) {
            return Ok(answer.clone());
        }
        let answer = ask()?;
        if text.len() <= TEXT_BYTES_MAX {
            if self.by_text.len() >= TEXTS_MAX || self.bytes >= BYTES_MAX {
                self.by_text.clear();
                self.bytes = 0;
            }
            self.bytes += text.len();
            self.by_text.insert(text.into(), answer.clone());
        }
        Ok(answer)
    }
}
