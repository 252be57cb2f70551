//! Chance that is the same in every run.

/// Changes, cuts, repeats and inserts, the same in every run.
pub struct Mutations {
    pub state: u64,
}

impl Mutations {
    pub fn below(&mut self, end: usize) -> usize {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.state = self
            .state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.state >> 33) as usize % end.max(1)
    }

    pub fn mutate(&mut self, original: &[u8], alphabet: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..1 + self.below(3) {
            let at = self.below(bytes.len());
            let new = alphabet[self.below(alphabet.len())];
            match self.below(5) {
                0 | 1 => bytes[at] = new,
                2 => bytes.insert(at, new),
                3 => bytes.truncate(at + 1),
                _ => {
                    let tail = bytes[at..].to_vec();
                    bytes.extend(tail);
                }
            }
        }
        bytes
    }
}
