//! Reproducible noise: random numbers by counter.
//!
//! Each number is a function of the seed and of what it is for, so the same run gives the same bits however cells are
//! put into tiles and threads.

use std::f64::consts::TAU;

/// The increment ΔW over a step of size `h` of the Wiener process of one state at one element of one cell, in the
/// step `number` of a run: normal with variance h.
///
/// Philox 4×32-10 as the generator and the Box–Muller transform. J. K. Salmon et al., Parallel random numbers: as easy
/// as 1, 2, 3, SC'11, [doi:10.1145/2063384.2063405](https://doi.org/10.1145/2063384.2063405).
pub fn increment(seed: u64, cell: usize, state: usize, element: usize, number: u64, h: f64) -> f64 {
    let counter = [
        number as u32,
        (number >> 32) as u32,
        cell as u32,
        element as u32,
    ];
    // Seed and state make the key, mixed so that neighbouring ones have nothing in common.
    let key = mix(mix(seed) ^ state as u64);
    let [a, b, c, d] = philox(counter, [key as u32, (key >> 32) as u32]);
    // 53 bits each, the first in (0, 1].
    let unit = |high: u32, low: u32| {
        let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
        bits as f64 / (1u64 << 53) as f64
    };
    let (u, v) = (1.0 - unit(a, b), unit(c, d));
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos() * h.sqrt()
}

/// A bijection of 64 bits: the finaliser of SplitMix64. G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom
/// number generators, OOPSLA 2014, doi:10.1145/2660193.2660195.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Ten rounds of Philox 4×32.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let product = |m: u32, x: u32| {
            let p = u64::from(m) * u64::from(x);
            ((p >> 32) as u32, p as u32)
        };
        let (high0, low0) = product(0xD251_1F53, counter[0]);
        let (high1, low1) = product(0xCD9E_8D57, counter[2]);
        counter = [
            high1 ^ counter[1] ^ key[0],
            low1,
            high0 ^ counter[3] ^ key[1],
            low0,
        ];
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::philox;

    /// The test vectors of the authors' Random123 distribution.
    #[test]
    fn philox_gives_the_published_numbers() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }
}
