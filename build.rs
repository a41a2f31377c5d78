//! Links the unwinder into the program, so that a start loads one shared library less.
//!
//! The standard library asks for `libgcc_s.so` on Linux with glibc. Loading it costs a tenth of
//! a start (measured: `benches/README.md`), and nobody shares it with us: mail is sent by one
//! short process after another. A linker script of that name, found first, names GCC's static
//! unwinder instead. Where the compiler has none, everything stays as it is.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if let Some(directory) = link_unwinder() {
        println!("cargo::rustc-link-search=native={}", directory.display());
    }
}

/// Writes the linker script; returns the directory it is in.
fn link_unwinder() -> Option<PathBuf> {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let native = env::var("TARGET").ok()? == env::var("HOST").ok()?;
    if !native || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return None;
    }
    let driver = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(driver)
        .arg("-print-file-name=libgcc_eh.a")
        .output()
        .ok()?;
    let archive = String::from_utf8(output.stdout).ok()?;
    let archive = Path::new(archive.trim());
    if !archive.is_absolute() || !archive.exists() {
        return None;
    }
    let directory = PathBuf::from(env::var_os("OUT_DIR")?);
    let script = format!("INPUT(\"{}\" AS_NEEDED(-lgcc))\n", archive.display());
    fs::write(directory.join("libgcc_s.so"), script).ok()?;
    Some(directory)
}
