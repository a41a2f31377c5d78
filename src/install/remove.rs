//! Removes an installation: what is in the list of ours and was not changed since.

use std::fs;
use std::io;
use std::path::Path;

use super::failure;
use super::manifest::{self, Manifest, Ours};
use super::plan::Place;
use crate::exit::{Failure, Kind};
use crate::sanitize;

/// What became of the removal.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// A line for each file and link that was removed.
    pub lines: Vec<String>,
    /// What was changed since it was installed and stays, in words.
    pub kept: Vec<String>,
    /// What could not be removed.
    pub failures: Vec<Failure>,
}

/// Removes what was installed, or only says what would be removed.
///
/// # Errors
/// When there is no list of what was installed, or it cannot be read: then nothing was removed.
pub(crate) fn uninstall(place: &Place, dry_run: bool) -> Result<Removed, Failure> {
    let list_path = place.now(&Manifest::path(place));
    let list = Manifest::read(&list_path).map_err(|error| failure("read", &list_path, error))?;
    let Some(list) = list else {
        let shown = sanitize::path(&place.prefix);
        let what = format!("nothing is installed in {shown}");
        return Err(Failure::new(Kind::NoInput, what).hint(format!(
            "there is no {}, the list of what postrider install has made; --prefix and --user name another place",
            sanitize::path(&list_path)
        )));
    };
    let mut removed = Removed::default();
    let mut left = Manifest::default();
    for (path, ours) in list.lines.iter().rev() {
        if *ours == Ours::Directory {
            continue;
        }
        match remove(place, path, &list, dry_run, &mut removed) {
            Ok(()) => {}
            Err(failure) => {
                left.add(path, ours.clone());
                removed.failures.push(failure);
            }
        }
    }
    if dry_run {
        return Ok(removed);
    }
    // What could not be removed can be removed later by the list that stays.
    let directories = list
        .lines
        .iter()
        .filter(|(_, ours)| *ours == Ours::Directory);
    if left.lines.is_empty() {
        if let Err(error) = fs::remove_file(&list_path) {
            removed.failures.push(failure("remove", &list_path, error));
        }
        // Only empty ones go: others may have put something into them.
        for (path, _) in directories.rev() {
            let _ = fs::remove_dir(place.now(path));
        }
    } else {
        for (path, _) in directories {
            left.add(path, Ours::Directory);
        }
        if let Err(error) = fs::write(&list_path, left.bytes()) {
            removed.failures.push(failure("write", &list_path, error));
        }
    }
    Ok(removed)
}

fn remove(
    place: &Place,
    path: &Path,
    list: &Manifest,
    dry_run: bool,
    removed: &mut Removed,
) -> Result<(), Failure> {
    let now = place.now(path);
    let shown = sanitize::path(&now);
    let found = manifest::look(&now).map_err(|error| failure("look at", &now, error))?;
    match found {
        // Somebody has removed it, or a line before this one was about it.
        None => {}
        Some(found) if list.has(path, &found) => {
            if !dry_run {
                match fs::remove_file(&now) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failure("remove", &now, error));
                    }
                    _ => {}
                }
            }
            let what = if dry_run { "would remove" } else { "removed" };
            removed.lines.push(format!("{what} {shown}"));
        }
        Some(_) => {
            let line = format!("{shown} was changed since it was installed, and is kept");
            if !removed.kept.contains(&line) {
                removed.kept.push(line);
            }
        }
    }
    Ok(())
}
