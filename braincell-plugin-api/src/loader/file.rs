//! Checks of a plugin's file, made before any of its code runs.

use super::error::Problem;
use crate::VERSION;
use crate::border::host::C_TABLE_SIZE;
use braincell_core::abi::types::abi_stable::library::LibHeader;
use braincell_core::abi::types::{
    ABI, ABI_STABLE_VERSION, C_ABI, C_TABLE_SYMBOL, DOOR_C, DOOR_RUST, HANDSHAKE_SIZE,
    HANDSHAKE_SYMBOL, Handshake, ROOT_SYMBOL,
};
use object::elf;
use object::read::elf::{ElfFile, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, Object, ObjectSegment, ObjectSymbol};

type Header = elf::FileHeader64<Endianness>;

/// The processor that this host runs on, as ELF files name it.
const HOST: Option<u16> = match std::env::consts::ARCH.as_bytes() {
    b"x86_64" => Some(elf::EM_X86_64),
    b"x86" => Some(elf::EM_386),
    b"aarch64" => Some(elf::EM_AARCH64),
    b"arm" => Some(elf::EM_ARM),
    b"riscv64" => Some(elf::EM_RISCV),
    b"powerpc64" => Some(elf::EM_PPC64),
    b"s390x" => Some(elf::EM_S390),
    b"loongarch64" => Some(elf::EM_LOONGARCH),
    _ => None,
};

fn machine_name(machine: u16) -> String {
    match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_386 => "x86",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_ARM => "arm",
        elf::EM_RISCV => "riscv64",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        other => return format!("ELF machine {other}"),
    }
    .to_string()
}

/// Makes sure that the bytes are a whole shared object for this machine, with the handshake and the table of functions
/// of a plugin that this host can load, and returns the handshake.
///
/// # Errors
/// [`Problem`].
pub(super) fn check(bytes: &[u8]) -> Result<Handshake, Problem> {
    check_header(bytes)?;
    let damaged = |error: object::Error| Problem::Damaged(error.to_string());
    let file = ElfFile::<Header>::parse(bytes).map_err(damaged)?;
    let place = find(&file, HANDSHAKE_SYMBOL).ok_or_else(|| missing(HANDSHAKE_SYMBOL))?;
    let handshake = contents(&file, place.0, HANDSHAKE_SIZE)
        .and_then(|bytes| Handshake::read(bytes).ok())
        .ok_or(Problem::NotAHandshake)?;
    check_handshake(&handshake)?;
    let (symbol, size) = match handshake.door {
        DOOR_C => (C_TABLE_SYMBOL, C_TABLE_SIZE),
        _ => (ROOT_SYMBOL, size_of::<LibHeader>() as u64),
    };
    match find(&file, symbol) {
        None => Err(missing(symbol)),
        Some((address, length)) if length < size || !is_mapped(&file, address, size) => {
            Err(Problem::Table(format!(
                "{symbol} has {length} bytes, and {size} are needed"
            )))
        }
        Some(_) => Ok(handshake),
    }
}

fn missing(symbol: &str) -> Problem {
    Problem::MissingSymbol {
        symbol: symbol.to_string(),
    }
}

/// Kind and processor, and whether all of the file is there.
fn check_header(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.is_empty() {
        return Err(Problem::Empty);
    }
    let other = |found: &str| {
        Err(Problem::NotASharedObject {
            found: found.to_string(),
        })
    };
    if !bytes.starts_with(&elf::ELFMAG) {
        let found = match bytes {
            [b'M', b'Z', ..] => "a Windows file",
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "a macOS file",
            [b'!', b'<', b'a', b'r', b'c', b'h', ..] => "an archive of object files",
            [b'#', b'!', ..] => "a script",
            _ if bytes.iter().take(512).all(|b| b.is_ascii() && *b != 0) => "a text file",
            _ => "a file of unknown kind",
        };
        return other(found);
    }
    let actual = bytes.len() as u64;
    let whole = |needed: u64| match needed <= actual {
        true => Ok(()),
        false => Err(Problem::Truncated { needed, actual }),
    };
    whole(size_of::<Header>() as u64)?;
    let architecture = |found: String| Problem::Architecture {
        found,
        host: std::env::consts::ARCH.to_string(),
    };
    // The byte behind the magic number.
    if bytes[4] != elf::ELFCLASS64 {
        return Err(architecture("a machine of another word size".to_string()));
    }
    let damaged = |error: object::Error| Problem::Damaged(error.to_string());
    let header = Header::parse(bytes).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    if (endian == Endianness::Big) != cfg!(target_endian = "big") {
        return Err(architecture("a machine of another byte order".to_string()));
    }
    match header.e_type(endian) {
        elf::ET_DYN => {}
        elf::ET_EXEC => return other("a program"),
        elf::ET_REL => return other("an object file that is not linked"),
        elf::ET_CORE => return other("a memory dump"),
        _ => return other("an ELF file of unknown kind"),
    }
    let machine = header.e_machine(endian);
    if HOST.is_some_and(|host| host != machine) {
        return Err(architecture(machine_name(machine)));
    }
    let end = |offset: u64, size: u64| {
        offset
            .checked_add(size)
            .ok_or_else(|| Problem::Damaged("a part of it ends beyond all files".to_string()))
    };
    let table = |offset: u64, entry: u16, count: u16| {
        end(offset, u64::from(entry) * u64::from(count)).and_then(whole)
    };
    let (entry, count) = (header.e_phentsize(endian), header.e_phnum(endian));
    table(header.e_phoff(endian), entry, count)?;
    for segment in header.program_headers(endian, bytes).map_err(damaged)? {
        let (offset, size) = segment.file_range(endian);
        end(offset, size).and_then(whole)?;
    }
    let (entry, count) = (header.e_shentsize(endian), header.e_shnum(endian));
    table(header.e_shoff(endian), entry, count)?;
    for section in header.section_headers(endian, bytes).map_err(damaged)? {
        if let Some((offset, size)) = section.file_range(endian) {
            end(offset, size).and_then(whole)?;
        }
    }
    Ok(())
}

/// Address and size of an exported symbol.
fn find(file: &ElfFile<'_, Header>, name: &str) -> Option<(u64, u64)> {
    let found = file
        .dynamic_symbols()
        .find(|s| s.is_definition() && s.name() == Ok(name))?;
    Some((found.address(), found.size()))
}

/// `size` bytes at an address, as the file gives them.
fn contents<'a>(file: &ElfFile<'a, Header>, address: u64, size: usize) -> Option<&'a [u8]> {
    file.segments().find_map(|segment| {
        let skip = usize::try_from(address.checked_sub(segment.address())?).ok()?;
        segment.data().ok()?.get(skip..)?.get(..size)
    })
}

/// Whether `size` bytes at an address are in memory once the file is loaded.
fn is_mapped(file: &ElfFile<'_, Header>, address: u64, size: u64) -> bool {
    file.segments().any(|segment| {
        let skip = address.checked_sub(segment.address());
        let end = skip.and_then(|skip| skip.checked_add(size));
        end.is_some_and(|end| end <= segment.size())
    })
}

fn check_handshake(handshake: &Handshake) -> Result<(), Problem> {
    let made_with = || text(&handshake.api);
    let host = || VERSION.to_string();
    let supported = match handshake.door {
        DOOR_RUST => ABI,
        DOOR_C => C_ABI,
        found => {
            return Err(Problem::Door {
                found,
                made_with: made_with(),
                host: host(),
            });
        }
    };
    if handshake.abi != supported {
        return Err(Problem::Abi {
            found: handshake.abi,
            supported,
            made_with: made_with(),
            host: host(),
            remedy: if handshake.abi > supported {
                "update braincell, or build the plugin against this version"
            } else {
                "build the plugin against this version"
            },
        });
    }
    if handshake.scalar_bits != 64 {
        return Err(Problem::Scalar {
            found: handshake.scalar_bits,
        });
    }
    if handshake.door == DOOR_RUST {
        if handshake.unwinds != 1 {
            return Err(Problem::PanicAborts);
        }
        // Versions that differ in the last number alone have the same types; abi_stable checks the rest.
        let series = |version: &str| version.rsplit_once('.').map(|(s, _)| s.to_string());
        let found = text(&handshake.abi_stable);
        if series(&found) != series(ABI_STABLE_VERSION) {
            return Err(Problem::AbiStable {
                found,
                supported: ABI_STABLE_VERSION.to_string(),
                host: host(),
            });
        }
    }
    Ok(())
}

/// A text of a handshake.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
