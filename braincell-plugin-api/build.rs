//! Passes the compiler's version on, so that a plugin can say what built it.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let version = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string());
    let version = version.unwrap_or_else(|_| "rustc of unknown version".to_string());
    println!("cargo::rustc-env=BRAINCELL_RUSTC={version}");
}
