//! Checkpoint files.

use super::driver::fuzz;
use super::speaks;
use braincell::container::{Reader, Writer, open, seal};
use proptest::collection::vec;
use proptest::prelude::*;

const MAGIC: &[u8; 8] = b"bc-fuzzy";

/// A box with bytes changed, its end cut off or its contents sealed anew, is opened to something or refused.
#[test]
fn container() {
    let mut contents = Writer::default();
    contents.u64(3);
    contents.text("na.m");
    contents.f64s(&[1.0, f64::NAN, -0.0]);
    contents.bytes(&[1, 2, 3]);
    let changes = (
        vec((any::<u16>(), any::<u8>()), 0..6),
        any::<bool>(),
        any::<u16>(),
    );
    let input = |(changes, sealed, cut): &(Vec<(u16, u8)>, bool, u16)| {
        // Sealed after the change, the checksum is right and the contents make no sense.
        let mut bytes = match sealed {
            true => contents.0.clone(),
            false => seal(MAGIC, 1, &contents.0),
        };
        for (at, with) in changes {
            let place = usize::from(*at) % bytes.len();
            bytes[place] = *with;
        }
        if cut % 4 == 0 {
            bytes.truncate(usize::from(*cut) % bytes.len());
        }
        match sealed {
            true => seal(MAGIC, 1, &bytes),
            false => bytes,
        }
    };
    fuzz("container", 4000, changes, input, |bytes| {
        let inside = match open(MAGIC, 1, bytes) {
            Ok(inside) => inside,
            Err(error) => return speaks(&error),
        };
        assert_eq!(seal(MAGIC, 1, inside), bytes);
        let mut reader = Reader(inside);
        let all = reader
            .u64()
            .and_then(|_| reader.text())
            .and_then(|_| reader.f64s());
        let all = all
            .and_then(|_| reader.list(Reader::f64))
            .and_then(|_| reader.end());
        if let Err(error) = all {
            speaks(&error);
        }
    });
}
