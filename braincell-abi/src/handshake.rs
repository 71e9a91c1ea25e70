//! The first thing a host reads.

/// The first bytes of every handshake.
pub const MAGIC: [u8; 16] = *b"braincell plugin";

/// Name of the symbol of the [`Handshake`].
pub const HANDSHAKE_SYMBOL: &str = "braincell_plugin_handshake";

/// Size of a [`Handshake`] in bytes. A later one may be longer.
pub const HANDSHAKE_SIZE: usize = size_of::<Handshake>();

/// The version of abi_stable whose types a Rust plugin uses.
pub const ABI_STABLE_VERSION: &str = "0.11.3";

/// What a plugin says about itself, as plain data: a host reads it from the file before it runs any of its code.
///
/// Texts end with a zero byte.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// [`MAGIC`].
    pub magic: [u8; 16],
    /// Size of this struct in bytes.
    pub size: u32,
    /// Which interface: [`crate::DOOR_RUST`] or [`crate::DOOR_C`].
    pub door: u32,
    /// Number of that interface: [`crate::ABI`] or [`crate::C_ABI`].
    pub abi: u32,
    /// Bits of a floating-point number: 64.
    pub scalar_bits: u32,
    /// 1 if a panic unwinds, so that the plugin can catch it; 0 if it would end the process.
    pub unwinds: u32,
    /// [`ABI_STABLE_VERSION`]; empty for a C plugin.
    pub abi_stable: [u8; 16],
    /// Version of braincell that it was built against.
    pub api: [u8; 32],
    /// Version of the plugin.
    pub version: [u8; 32],
    /// The compiler.
    pub compiler: [u8; 96],
}

/// The bytes are not a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAHandshake;

impl Handshake {
    /// The handshake of a Rust plugin of that version and compiler, built against that version of braincell.
    pub const fn rust(api: &str, version: &str, compiler: &str, unwinds: bool) -> Self {
        Self {
            magic: MAGIC,
            size: HANDSHAKE_SIZE as u32,
            door: crate::DOOR_RUST,
            abi: crate::ABI,
            scalar_bits: 64,
            unwinds: unwinds as u32,
            abi_stable: text(ABI_STABLE_VERSION),
            api: text(api),
            version: text(version),
            compiler: text(compiler),
        }
    }

    /// Reads a handshake.
    ///
    /// # Errors
    /// [`NotAHandshake`] if there are too few bytes, or they do not begin with [`MAGIC`] and a sensible size.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAHandshake> {
        let mut rest = bytes.get(..HANDSHAKE_SIZE).ok_or(NotAHandshake)?;
        let handshake = Self {
            magic: take(&mut rest),
            size: u32::from_ne_bytes(take(&mut rest)),
            door: u32::from_ne_bytes(take(&mut rest)),
            abi: u32::from_ne_bytes(take(&mut rest)),
            scalar_bits: u32::from_ne_bytes(take(&mut rest)),
            unwinds: u32::from_ne_bytes(take(&mut rest)),
            abi_stable: take(&mut rest),
            api: take(&mut rest),
            version: take(&mut rest),
            compiler: take(&mut rest),
        };
        if handshake.magic == MAGIC && handshake.size as usize >= HANDSHAKE_SIZE {
            Ok(handshake)
        } else {
            Err(NotAHandshake)
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let (first, others) = rest.split_at(N);
    out.copy_from_slice(first);
    *rest = others;
    out
}

/// The text, cut to fit, and a zero byte behind it.
const fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    let bytes = text.as_bytes();
    let mut k = 0;
    while k < bytes.len() && k + 1 < N {
        out[k] = bytes[k];
        k += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The handshake's bytes, field by field, with the layout that a C compiler gives it.
    fn bytes(h: &Handshake) -> Vec<u8> {
        let mut out = h.magic.to_vec();
        for word in [h.size, h.door, h.abi, h.scalar_bits, h.unwinds] {
            out.extend(word.to_ne_bytes());
        }
        for text in [&h.abi_stable[..], &h.api, &h.version, &h.compiler] {
            out.extend(text);
        }
        out
    }

    #[test]
    fn has_no_padding_and_reads_back() {
        let written = Handshake::rust("1.2.3", "4.5.6", "rustc 1.95.0", true);
        let bytes = bytes(&written);
        assert_eq!(bytes.len(), HANDSHAKE_SIZE);
        assert_eq!(Handshake::read(&bytes), Ok(written));
        assert_eq!(Handshake::read(&bytes[1..]), Err(NotAHandshake));
        let mut other = bytes.clone();
        other[3] ^= 1;
        assert_eq!(Handshake::read(&other), Err(NotAHandshake));
        let mut short = bytes;
        short[16..20].copy_from_slice(&8u32.to_ne_bytes());
        assert_eq!(Handshake::read(&short), Err(NotAHandshake));
    }

    #[test]
    fn cuts_long_texts() {
        let long = "x".repeat(200);
        let handshake = Handshake::rust("1", &long, "rustc", false);
        assert_eq!(&handshake.version[..31], "x".repeat(31).as_bytes());
        assert_eq!(handshake.version[31], 0);
        assert_eq!(handshake.unwinds, 0);
    }

    /// The pinned version and the one that is linked must not drift apart.
    #[test]
    fn names_the_abi_stable_that_is_linked() {
        let header = abi_stable::library::AbiHeader::VALUE;
        let mut numbers = ABI_STABLE_VERSION.split('.').map(str::parse::<u32>);
        assert_eq!(numbers.next(), Some(Ok(header.abi_major)));
        assert_eq!(numbers.next(), Some(Ok(header.abi_minor)));
    }
}
