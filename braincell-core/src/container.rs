//! Bytes in a box: a file that tells what it is, which version of its format it has, and whether it is whole.
//!
//! | bytes | contents |
//! |---|---|
//! | 8 | what it is: the magic |
//! | 4 | version of the format |
//! | 8 | length of the contents |
//! | … | the contents |
//! | 4 | CRC-32 of all before |
//!
//! Numbers are little-endian, in the contents too. Texts and lists are preceded by their length.

/// Why the contents cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// It is something else.
    #[error("it does not begin as one does; is it another file?")]
    Foreign,
    /// The format is another one.
    #[error(
        "it has format version {found}, and this program reads version {known}; use the program that wrote it"
    )]
    Version {
        /// The version of the file.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// The end is missing, or there is more than there should be.
    #[error(
        "it should have {wanted} bytes and has {found}: it was cut off, or something was added"
    )]
    Length {
        /// Bytes there should be.
        wanted: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The checksum does not fit, or the contents make no sense.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

const HEAD: usize = 20;
const TAIL: usize = 4;

/// Puts contents into a box.
pub fn seal(magic: &[u8; 8], version: u32, contents: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + contents.len() + TAIL);
    bytes.extend_from_slice(magic);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&(contents.len() as u64).to_le_bytes());
    bytes.extend_from_slice(contents);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Takes the contents out of a box.
///
/// # Errors
/// [`ContainerError`]
pub fn open<'a>(
    magic: &[u8; 8],
    version: u32,
    bytes: &'a [u8],
) -> Result<&'a [u8], ContainerError> {
    let Some(begin) = bytes.strip_prefix(magic) else {
        // The beginning of a box that was cut off at once.
        return Err(match magic.starts_with(bytes) {
            true => ContainerError::Length {
                wanted: (HEAD + TAIL) as u64,
                found: bytes.len() as u64,
            },
            false => ContainerError::Foreign,
        });
    };
    let found = bytes.len() as u64;
    let mut head = Reader(begin);
    let short = |_| ContainerError::Length {
        wanted: (HEAD + TAIL) as u64,
        found,
    };
    let of = head.array().map(u32::from_le_bytes).map_err(short)?;
    if of != version {
        return Err(ContainerError::Version {
            found: of,
            known: version,
        });
    }
    let length = head.u64().map_err(short)?;
    let wanted = length.saturating_add((HEAD + TAIL) as u64);
    if wanted != found {
        return Err(ContainerError::Length { wanted, found });
    }
    let (all, sum) = bytes.split_at(bytes.len() - TAIL);
    if crc32fast::hash(all).to_le_bytes() != sum {
        return Err(ContainerError::Damaged("its checksum is wrong"));
    }
    Ok(&all[HEAD..])
}

/// Writes the contents of a box.
#[derive(Clone, Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// Adds a count.
    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Adds a number, to the bit.
    pub fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// Adds numbers, preceded by their count.
    pub fn f64s(&mut self, values: &[f64]) {
        self.u64(values.len() as u64);
        for &value in values {
            self.f64(value);
        }
    }

    /// Adds bytes, preceded by their count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Adds a text, preceded by its length.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

const ENDED: ContainerError = ContainerError::Damaged("its contents end too early");

/// Reads what a [`Writer`] wrote, in the same order. Nothing is believed: a length beyond the end is an error.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], ContainerError> {
        let count = usize::try_from(count).map_err(|_| ENDED)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ENDED)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ContainerError> {
        self.take(N as u64)?.try_into().map_err(|_| ENDED)
    }

    /// A count.
    ///
    /// # Errors
    /// [`ContainerError::Damaged`], here and below.
    pub fn u64(&mut self) -> Result<u64, ContainerError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Reader::u64`].
    pub fn f64(&mut self) -> Result<f64, ContainerError> {
        Ok(f64::from_bits(self.u64()?))
    }

    /// Numbers.
    ///
    /// # Errors
    /// As [`Reader::u64`].
    pub fn f64s(&mut self) -> Result<Vec<f64>, ContainerError> {
        let count = self.u64()?;
        let bytes = self.take(count.checked_mul(8).ok_or(ENDED)?)?;
        let numbers = bytes.chunks_exact(8);
        let number = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap_or_default());
        Ok(numbers.map(number).collect())
    }

    /// Bytes.
    ///
    /// # Errors
    /// As [`Reader::u64`].
    pub fn bytes(&mut self) -> Result<&'a [u8], ContainerError> {
        let count = self.u64()?;
        self.take(count)
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Reader::u64`], also if it is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, ContainerError> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map_err(|_| ContainerError::Damaged("a text in it is not UTF-8"))
    }

    /// A list, each element of which `read` reads.
    ///
    /// # Errors
    /// As `read`.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, ContainerError>,
    ) -> Result<Vec<T>, ContainerError> {
        let count = self.u64()?;
        // Every element takes at least a byte.
        if count > self.0.len() as u64 {
            return Err(ENDED);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Makes sure that all was read.
    ///
    /// # Errors
    /// [`ContainerError::Damaged`].
    pub fn end(self) -> Result<(), ContainerError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(ContainerError::Damaged("there is more in it than expected")),
        }
    }
}
