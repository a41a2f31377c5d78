//! Links the unwinder into the program, so that a start loads one shared library less, and packs its
//! relocations.
//!
//! The standard library asks for `libgcc_s.so` on Linux with glibc. Loading it costs a tenth of
//! a start (measured: `benches/README.md`), and nobody shares it with us: mail is sent by one
//! short process after another. A linker script of that name, found first, names GCC's static
//! unwinder instead. Where the compiler has none, everything stays as it is.
//!
//! Each start reads all relocations: as a plain table they are a quarter of a mebibyte of memory, packed
//! (DT_RELR) a few kilobytes. The loader of glibc can unpack them since 2.36, and one that cannot says
//! so; so they are packed where the program is built for a glibc that can.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if !is_for_glibc_of_here() {
        return;
    }
    if let Some(directory) = link_unwinder() {
        println!("cargo::rustc-link-search=native={}", directory.display());
    }
    if glibc_of_here().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn is_for_glibc_of_here() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    is_native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")
}

/// Returns the version of glibc (getconf(1): "glibc 2.36").
fn glibc_of_here() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let output = String::from_utf8(output.ok()?.stdout).ok()?;
    let (major, minor) = output.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Writes the linker script; returns the directory it is in.
fn link_unwinder() -> Option<PathBuf> {
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
