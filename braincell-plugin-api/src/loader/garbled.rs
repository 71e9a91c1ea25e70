//! The check of a plugin's file on garbled files: it ends, never panics, and names a problem or gives a handshake that fits.
//!
//! `PROPTEST_CASES=100000 cargo test -p braincell-plugin-api --lib garbled` tries more.

use super::file::check;
use braincell_core::abi::types::{DOOR_C, HANDSHAKE_SIZE, MAGIC};
use proptest::collection::vec;
use proptest::prelude::*;
use std::process::Command;
use std::sync::OnceLock;

/// The plugin in C among the examples, as a file; nothing without a C compiler.
fn plugin() -> Option<&'static [u8]> {
    static MADE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let make = || {
        let home = env!("CARGO_MANIFEST_DIR");
        let file =
            std::env::temp_dir().join(format!("braincell-garbled-{}.so", std::process::id()));
        let made = Command::new("cc")
            .args(["-std=c11", "-shared", "-fPIC", "-I"])
            .arg(format!("{home}/include"))
            .arg("-o")
            .arg(&file)
            .arg(format!("{home}/../examples/plugins/c/kutta.c"))
            .status();
        if !made.ok()?.success() {
            return None;
        }
        let bytes = std::fs::read(&file).ok();
        let _ = std::fs::remove_file(&file);
        bytes
    };
    MADE.get_or_init(make).as_deref()
}

/// A number of `1 << width` bytes written over what is there.
#[derive(Clone, Copy, Debug)]
struct Change {
    region: u8,
    at: u32,
    width: u8,
    value: u64,
}

fn change() -> impl Strategy<Value = Change> {
    let edges = [
        0,
        1,
        2,
        8,
        24,
        64,
        0xff,
        0xffff,
        1 << 31,
        u32::MAX as u64,
        1 << 63,
        u64::MAX - 7,
        u64::MAX,
    ];
    let value = prop_oneof![
        prop::sample::select(edges.to_vec()),
        0u64..40_000,
        any::<u64>()
    ];
    (0u8..5, any::<u32>(), 0u8..4, value).prop_map(|(region, at, width, value)| Change {
        region,
        at,
        width,
        value,
    })
}

fn apply(bytes: &mut [u8], change: Change) {
    let length = bytes.len();
    if length < 8 {
        return;
    }
    let u64_at = |place: usize| {
        let read = bytes.get(place..place + 8);
        read.map_or(0, |b| {
            u64::from_le_bytes(b.try_into().unwrap_or_default()) as usize
        })
    };
    let handshake = bytes.windows(MAGIC.len()).position(|w| w == MAGIC);
    // The file header, the program headers behind it, the section headers (e_shoff says where), the handshake, or anywhere.
    let (from, size) = match change.region {
        0 => (0, 64),
        1 => (64, 56 * 12),
        2 => (u64_at(40), 64 * 30),
        3 => (handshake.unwrap_or(0), HANDSHAKE_SIZE),
        _ => (0, length),
    };
    let width = 1 << change.width;
    let place = (from.min(length) + change.at as usize % size / width * width).min(length - width);
    bytes[place..place + width].copy_from_slice(&change.value.to_le_bytes()[..width]);
}

#[test]
fn the_file_itself_is_good() {
    if let Some(bytes) = plugin() {
        assert_eq!(
            check(bytes).map(|h| h.door).map_err(|p| p.to_string()),
            Ok(DOOR_C)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbled_files_are_checked(changes in vec(change(), 0..6), cut in prop::option::weighted(0.2, any::<u32>())) {
        let Some(bytes) = plugin() else { return Ok(()) };
        let mut bytes = bytes.to_vec();
        changes.iter().for_each(|change| apply(&mut bytes, *change));
        if let Some(cut) = cut {
            bytes.truncate(cut as usize % bytes.len());
        }
        match check(&bytes) {
            Ok(handshake) => prop_assert_eq!(handshake.scalar_bits, 64),
            Err(problem) => prop_assert!(problem.to_string().len() > 3),
        }
    }

    #[test]
    fn arbitrary_bytes_are_checked(mut bytes in vec(any::<u8>(), 0..400), elf in any::<bool>()) {
        if elf && bytes.len() > 20 {
            // Past the first checks.
            bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
            bytes[16..20].copy_from_slice(&[3, 0, 62, 0]);
        }
        prop_assert!(check(&bytes).is_err());
    }
}
