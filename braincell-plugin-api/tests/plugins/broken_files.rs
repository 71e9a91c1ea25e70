//! Files that are no plugins, or not whole.

use crate::support::{cc, has_cc, kutta, refused, scratch};
use braincell_plugin_api::loader::Problem;
use std::fs;
use std::path::PathBuf;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// The example in C, changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(kutta()).unwrap();
    change(&mut bytes);
    file(name, &bytes)
}

#[test]
fn what_is_not_a_shared_object_is_refused() {
    let missing = scratch().join("there_is_none.so");
    let problem = refused(&missing, &["cannot be read", "check the path"]);
    assert!(matches!(problem, Problem::Unreadable(_)));
    let directory = scratch().join("directory.so");
    fs::create_dir_all(&directory).unwrap();
    assert_eq!(refused(&directory, &["not a file"]), Problem::NotAFile);
    assert_eq!(refused(&file("empty.so", b""), &["empty"]), Problem::Empty);
    for (name, bytes, found) in [
        ("text.so", &b"to whom it may concern"[..], "a text file"),
        ("script.so", b"#!/bin/sh\nexit 0\n", "a script"),
        ("windows.so", b"MZ\x90\x00\x03", "a Windows file"),
        ("mac.so", &[0xcf, 0xfa, 0xed, 0xfe, 7], "a macOS file"),
        ("archive.so", b"!<arch>\n", "an archive"),
        ("noise.so", &[0, 159, 146, 150], "unknown kind"),
        ("linker_script.so", b"INPUT(libm.so.6)\n", "a text file"),
    ] {
        let problem = refused(&file(name, bytes), &[found, "cdylib"]);
        assert!(matches!(problem, Problem::NotASharedObject { .. }));
    }
    if cfg!(unix) {
        let device = std::path::Path::new("/dev/zero");
        assert_eq!(refused(device, &["not a file"]), Problem::NotAFile);
    }
}

#[test]
fn other_kinds_of_elf_files_are_refused() {
    if !has_cc() {
        return;
    }
    let object = cc("object.so", "int x = 1;", &["-c"]);
    let program = cc("program.so", "int main(void) { return 0; }", &["-no-pie"]);
    let pie = cc("pie.so", "int main(void) { return 0; }", &["-pie", "-fPIE"]);
    for (path, found) in [(object, "an object file"), (program, "a program")] {
        let problem = refused(&path, &[found]);
        assert!(matches!(problem, Problem::NotASharedObject { .. }));
    }
    let problem = refused(&pie, &["no braincell plugin"]);
    assert!(matches!(problem, Problem::MissingSymbol { .. }));
}

/// The dynamic linker maps a file as long as its headers say; reading beyond its end would kill the process.
#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    if !has_cc() {
        return;
    }
    let whole = fs::read(kutta()).unwrap();
    let cuts = (1..whole.len()).step_by(211);
    let mut truncated = 0;
    for (k, cut) in cuts.chain([whole.len() - 1, 16, 63, 64, 65]).enumerate() {
        let path = file(&format!("cut_{k}.so"), &whole[..cut]);
        match refused(&path, &[]) {
            Problem::Truncated { needed, actual } => {
                truncated += 1;
                assert!(actual == cut as u64 && needed > actual);
            }
            // The first bytes alone do not say that it is an ELF file.
            other => assert!(cut < 4, "{other:?} when cut at {cut}"),
        }
        fs::remove_file(path).unwrap();
    }
    assert!(truncated > 50);
}

#[test]
fn files_for_other_machines_are_refused() {
    if !has_cc() {
        return;
    }
    let other = if cfg!(target_arch = "aarch64") {
        62
    } else {
        183
    };
    for (name, place, value) in [
        ("machine.so", 18, other),
        ("word_size.so", 4, 1),
        (
            "byte_order.so",
            5,
            if cfg!(target_endian = "big") { 1 } else { 2 },
        ),
    ] {
        let path = changed(name, |bytes| bytes[place] = value);
        let problem = refused(
            &path,
            &[std::env::consts::ARCH, "build it for this machine"],
        );
        assert!(matches!(problem, Problem::Architecture { .. }));
    }
}

#[test]
fn damaged_headers_are_refused() {
    if !has_cc() {
        return;
    }
    // The section table's offset, the entry size of the segment table, the index of the section names, the version.
    for (place, value) in [
        (0x28, 0xff),
        (0x2f, 0xff),
        (0x36, 0xff),
        (0x3e, 0xff),
        (6, 9),
    ] {
        let path = changed(&format!("damaged_{place}.so"), |bytes| bytes[place] = value);
        let problem = refused(&path, &["copy or build it again"]);
        let damaged = matches!(problem, Problem::Damaged(_) | Problem::Truncated { .. });
        assert!(damaged, "{place}: {problem:?}");
    }
}

/// Whatever a byte of the header is changed to, the checks of the file end with a plugin or an error.
#[test]
fn no_byte_of_the_header_can_do_harm() {
    if !has_cc() {
        return;
    }
    let whole = fs::read(kutta()).unwrap();
    for place in 0..64 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] = value;
            let path = file(&format!("byte_{place}_{value}.so"), &bytes);
            // What passes is handed to the dynamic linker, which checks the header again.
            let _ = braincell_plugin_api::loader::open(&path);
            fs::remove_file(path).unwrap();
        }
    }
}
