//! How long answers took, in buckets that are a sixteenth of their value wide.

/// Counts microseconds.
#[derive(Clone)]
pub(super) struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    pub(super) fn add(&mut self, micros: u64) {
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// What `share` of all stay below or reach, in microseconds; 0 of none.
    pub(super) fn at(&self, share: f64) -> u64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut passed = 0;
        let place = self.counts.iter().position(|count| {
            passed += u64::from(*count);
            passed >= wanted
        });
        place.map_or(0, middle)
    }
}

/// The four bits behind the first make the place within a power of two.
fn bucket(micros: u64) -> usize {
    let micros = micros.max(1 << PART_BITS);
    let power = micros.ilog2();
    let part = (micros >> (power - PART_BITS)) as usize & (PARTS - 1);
    ((power - PART_BITS) as usize * PARTS + part).min(BUCKETS - 1)
}

fn middle(bucket: usize) -> u64 {
    let power = (bucket / PARTS) as u32;
    let width = 1_u64 << power;
    (PARTS + bucket % PARTS) as u64 * width + width / 2
}

const PART_BITS: u32 = 4;
const PARTS: usize = 1 << PART_BITS;
/// Up to 2^28 µs, more than four minutes.
const BUCKETS: usize = 24 * PARTS;
