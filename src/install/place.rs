//! Puts an installation into place: all of it, or nothing.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::manifest::{self, Manifest, Ours};
use super::plan::{self, Content, Item, Place, SENDMAIL};
use super::{failure, packages};
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::disk::directory_of;

/// What temporary names of ours begin with.
const TEMPORARY: &str = ".postrider-new-";

/// What became of an installation.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// A line for each file and link.
    pub lines: Vec<String>,
    /// What is in the way and was left as it is, in words.
    pub in_the_way: Vec<String>,
}

/// What an item needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing is there.
    Make,
    /// An older one of ours is there.
    Replace,
    /// It is there as it should be.
    Nothing,
    /// Something else is there, which stays.
    Keep,
}

/// Installs, or only says what would be installed.
///
/// # Errors
/// When a package manager owns the place, when there is an MTA in the place of ours, or when a file
/// cannot be written or a signal came: then nothing was installed.
pub(crate) fn install(
    place: &Place,
    dry_run: bool,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Done, Failure> {
    let mut done = Done::default();
    may_install(place)?;
    let list_path = place.now(&Manifest::path(place));
    let old = Manifest::read(&list_path)
        .map_err(|error| failure("read", &list_path, error))?
        .unwrap_or_default();
    let mut needed = Vec::new();
    for item in plan::items(place) {
        let wanted = wanted(place, &item)?;
        let need = need(place, &item, &wanted, &old)?;
        needed.push((item, wanted, need));
    }
    if place.mta {
        no_other_sendmail(place, &needed)?;
    }
    for (item, _, need) in &needed {
        tell(place, item, *need, dry_run, &mut done);
    }
    if !dry_run {
        // Those who build a package have a list of their own.
        let list = place.root.is_none().then_some((&old, list_path.as_path()));
        write(place, &needed, list, is_stopped)?;
    }
    Ok(done)
}

/// Refuses a place that a package manager owns.
fn may_install(place: &Place) -> Result<(), Failure> {
    // Below a root of its own a package is made.
    if place.root.is_some() {
        return Ok(());
    }
    match packages::owner_of_prefix(&place.prefix) {
        None => Ok(()),
        Some(owner) => {
            let shown = sanitize::path(&place.prefix);
            let what = format!("cannot install in {shown}: its files belong to {owner}");
            Err(Failure::new(Kind::NoPermission, what).hint(
                "install the package of Postrider, or choose another place, such as --prefix /usr/local",
            ))
        }
    }
}

/// Returns what the list of ours says of an item.
fn wanted(place: &Place, item: &Item) -> Result<Ours, Failure> {
    Ok(match &item.content {
        Content::Text(text) => Ours::File(manifest::sum(text.as_bytes())),
        Content::Configuration(text) => Ours::File(manifest::sum(text.as_bytes())),
        Content::Link(target) => Ours::Link(target.clone()),
        Content::Program => Ours::File(
            manifest::sum_of_file(&place.program)
                .map_err(|error| failure("read", &place.program, error))?,
        ),
    })
}

fn need(place: &Place, item: &Item, wanted: &Ours, old: &Manifest) -> Result<Need, Failure> {
    let path = place.now(&item.path);
    let found = manifest::look(&path).map_err(|error| failure("look at", &path, error))?;
    Ok(match found {
        None => Need::Make,
        Some(found) if found == *wanted => Need::Nothing,
        Some(found) if old.has(&item.path, &found) => Need::Replace,
        Some(_) => Need::Keep,
    })
}

/// Refuses to be a machine's sendmail beside another one.
fn no_other_sendmail(place: &Place, needed: &[(Item, Ours, Need)]) -> Result<(), Failure> {
    let sendmail = Path::new(SENDMAIL[0]);
    let mut others = needed
        .iter()
        .filter(|(item, _, need)| *need == Need::Keep && item.path == sendmail);
    if others.next().is_none() {
        return Ok(());
    }
    let what = format!(
        "there is a sendmail already: {}",
        described(place, sendmail)
    );
    Err(Failure::new(Kind::CannotCreate, what)
        .hint("remove that MTA first, or leave out --mta: Postrider sends through it"))
}

/// Returns a path, and the package that owns it.
fn described(place: &Place, path: &Path) -> String {
    let shown = sanitize::path(path);
    let owner = place
        .root
        .is_none()
        .then(|| packages::owner(path))
        .flatten();
    match owner {
        Some(package) => format!("{shown} belongs to the package {package}"),
        None => shown.into_owned(),
    }
}

fn tell(place: &Place, item: &Item, need: Need, dry_run: bool, done: &mut Done) {
    let now = place.now(&item.path);
    let mut shown = sanitize::path(&now).into_owned();
    if let Content::Link(target) = &item.content {
        shown = format!("{shown} -> {}", sanitize::path(target));
    }
    let what = match (need, dry_run) {
        (Need::Nothing, _) => "is there",
        (Need::Make, false) => "installed",
        (Need::Make, true) => "would install",
        (Need::Replace, false) => "replaced",
        (Need::Replace, true) => "would replace",
        (Need::Keep, _) => "kept",
    };
    if need == Need::Keep && !matches!(item.content, Content::Configuration(_)) {
        let described = described(place, &now);
        done.in_the_way
            .push(format!("{described} is in the way and is kept"));
        return;
    }
    done.lines.push(format!("{what} {shown}"));
}

/// A file or link that has its content, and a temporary name.
enum Staged {
    File(NamedTempFile),
    Link(NamedTempFile<()>),
}

impl Staged {
    /// Gives it its name; an existing file is replaced only where that is said.
    fn persist(self, path: &Path, replace: bool) -> io::Result<()> {
        match (self, replace) {
            (Staged::File(file), true) => file.persist(path).map(drop).map_err(|e| e.error),
            (Staged::File(file), false) => {
                file.persist_noclobber(path).map(drop).map_err(|e| e.error)
            }
            (Staged::Link(link), true) => link.persist(path).map_err(|e| e.error),
            (Staged::Link(link), false) => link.persist_noclobber(path).map_err(|e| e.error),
        }
    }
}

/// What was done so far. Unless it is kept, all of it is undone when this is dropped.
#[derive(Default)]
struct Undo {
    /// Directories that were made.
    directories: Vec<PathBuf>,
    /// Files that have their names, each with the older one, if there was one.
    files: Vec<(PathBuf, Option<NamedTempFile<()>>)>,
    kept: bool,
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The failure that led here is reported. A second one could only say that it was not undone,
        // and the next installation finds what is left in the list of ours.
        while let Some((path, older)) = self.files.pop() {
            let _ = match older {
                Some(older) => older.persist(&path).map_err(|e| e.error),
                None => fs::remove_file(&path),
            };
        }
        while let Some(path) = self.directories.pop() {
            let _ = fs::remove_dir(path);
        }
    }
}

impl Undo {
    /// Makes a directory and those above it that are missing.
    fn make_directory(&mut self, path: &Path) -> Result<(), Failure> {
        let mut missing = Vec::new();
        let mut at = Some(path);
        while let Some(path) = at.filter(|path| !path.is_dir()) {
            missing.push(path);
            at = path.parent();
        }
        for path in missing.into_iter().rev() {
            // Others read what is in it, whatever the umask is.
            let made = DirBuilder::new().mode(0o755).create(path);
            made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
                .map_err(|error| failure("make the directory", path, error))?;
            self.directories.push(path.to_owned());
        }
        Ok(())
    }

    /// Gives a file its name, and remembers what was there.
    fn put(&mut self, staged: Staged, path: &Path, replace: bool) -> Result<(), Failure> {
        let failed = |error| failure("write", path, error);
        let older = if replace {
            let link = |temporary: &Path| fs::hard_link(path, temporary);
            let older = temporary().make_in(directory_of(path), link);
            Some(older.map_err(failed)?)
        } else {
            None
        };
        staged.persist(path, replace).map_err(failed)?;
        self.files.push((path.to_owned(), older));
        Ok(())
    }
}

fn temporary() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY);
    builder
}

/// Writes all that is needed, and the list of what is ours.
fn write(
    place: &Place,
    needed: &[(Item, Ours, Need)],
    list: Option<(&Manifest, &Path)>,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let mut undo = Undo::default();
    let mut staged = Vec::new();
    for (item, _, need) in needed {
        let path = place.now(&item.path);
        if !matches!(need, Need::Make | Need::Replace) {
            continue;
        }
        stopped(is_stopped)?;
        undo.make_directory(directory_of(&path))?;
        let one = stage(place, item, &path).map_err(|error| failure("write", &path, error))?;
        staged.push((one, path, *need == Need::Replace));
    }
    let Some((old, list_path)) = list else {
        put_all(&mut undo, staged, is_stopped)?;
        undo.kept = true;
        return Ok(());
    };
    let directory = directory_of(list_path);
    undo.make_directory(directory)?;
    let lock = File::open(directory).map_err(|error| failure("open", directory, error))?;
    if lock.try_lock().is_err() {
        let what = format!(
            "another installation runs in {}",
            sanitize::path(&place.prefix)
        );
        return Err(Failure::new(Kind::TryLater, what));
    }
    let mut new = Manifest::default();
    for path in &undo.directories {
        new.add(path, Ours::Directory);
    }
    for (item, wanted, need) in needed {
        // What is there as it should be is ours. But what lies outside the prefix may be that of
        // another installation.
        let is_ours = match need {
            Need::Keep => false,
            Need::Nothing => is_adopted(place, item),
            Need::Make | Need::Replace => true,
        };
        if is_ours {
            new.add(&item.path, wanted.clone());
        }
    }
    new.add_unknown(old);
    // Whenever we are killed, everything that is ours is in the list.
    let mut both = new.clone();
    for (path, ours) in &old.lines {
        both.add(path, ours.clone());
    }
    let stage_list = |list: &Manifest| {
        let bytes = list.bytes();
        stage_file(list_path, 0o644, &mut |file| file.write_all(&bytes))
            .map_err(|error| failure("write", list_path, error))
    };
    let is_there = fs::symlink_metadata(list_path).is_ok();
    undo.put(stage_list(&both)?, list_path, is_there)?;
    put_all(&mut undo, staged, is_stopped)?;
    undo.put(stage_list(&new)?, list_path, true)?;
    undo.kept = true;
    Ok(())
}

/// Gives all files their names.
fn put_all(
    undo: &mut Undo,
    staged: Vec<(Staged, PathBuf, bool)>,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    for (one, path, replace) in staged {
        stopped(is_stopped)?;
        undo.put(one, &path, replace)?;
    }
    Ok(())
}

/// Returns whether a file that was there as it should be goes into the list of ours.
fn is_adopted(place: &Place, item: &Item) -> bool {
    let is_in_place = matches!(item.content, Content::Program) && place.program == item.path;
    item.path.starts_with(&place.prefix) && !is_in_place
}

fn stopped(is_stopped: &dyn Fn() -> bool) -> Result<(), Failure> {
    if is_stopped() {
        let what = "the installation was interrupted; nothing was installed";
        return Err(Failure::new(Kind::TryLater, what));
    }
    Ok(())
}

/// Writes an item under a temporary name beside its own.
fn stage(place: &Place, item: &Item, path: &Path) -> io::Result<Staged> {
    let text = |text: &str| stage_file(path, 0o644, &mut |file| file.write_all(text.as_bytes()));
    match &item.content {
        Content::Link(target) => {
            let link = |temporary: &Path| symlink(target, temporary);
            Ok(Staged::Link(temporary().make_in(directory_of(path), link)?))
        }
        Content::Text(Cow::Borrowed(it)) | Content::Configuration(it) => text(it),
        Content::Text(Cow::Owned(it)) => text(it),
        Content::Program => stage_file(path, 0o755, &mut |file| {
            io::copy(&mut File::open(&place.program)?, file).map(drop)
        }),
    }
}

/// Writes a file under a temporary name beside its own; a disk that is full shows here.
fn stage_file(
    path: &Path,
    mode: u32,
    fill: &mut dyn FnMut(&mut File) -> io::Result<()>,
) -> io::Result<Staged> {
    let mut file = temporary().tempfile_in(directory_of(path))?;
    fill(file.as_file_mut())?;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    Ok(Staged::File(file))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use super::*;

    /// Returns what is below a directory, by path.
    fn below(directory: &Path) -> BTreeMap<PathBuf, Option<Ours>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let it = manifest::look(&path).expect("looked at");
            if it == Some(Ours::Directory) {
                found.extend(below(&path));
            }
            found.insert(path, it);
        }
        found
    }

    fn place(directory: &Path) -> Place {
        let program = directory.join("program");
        fs::write(&program, "#!/bin/sh\n").expect("written");
        Place {
            prefix: directory.join("prefix"),
            root: None,
            for_user: true,
            mta: false,
            program,
            stays: false,
        }
    }

    #[test]
    fn a_signal_at_any_step_leaves_everything_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(directory.path());
        let stops_after = |most: usize| {
            let count = Cell::new(0);
            let is_stopped = || count.replace(count.get() + 1) >= most;
            install(&place, false, &is_stopped).map(|done| done.lines.len())
        };
        let nothing = below(directory.path());
        let mut steps = 0;
        while stops_after(steps).is_err() {
            assert_eq!(below(directory.path()), nothing, "step {steps}");
            steps += 1;
        }
        // Each file is written, and gets its name.
        assert_eq!(steps, 2 * plan::items(&place).len());

        // The program and a page of an older version are ours and are replaced.
        let list_path = Manifest::path(&place);
        let mut list = Manifest::read(&list_path).expect("read").expect("a list");
        for name in ["bin/postrider", "share/man/man1/mailx.1"] {
            let path = place.prefix.join(name);
            fs::write(&path, "older\n").expect("written");
            list.lines.retain(|(at, _)| *at != path);
            list.add(&path, Ours::File(manifest::sum(b"older\n")));
        }
        fs::remove_file(place.prefix.join("bin/mail")).expect("removed");
        fs::write(&list_path, list.bytes()).expect("written");
        let older = below(directory.path());
        for step in 0..6 {
            assert!(stops_after(step).is_err());
            assert_eq!(below(directory.path()), older, "step {step}");
        }
        assert!(stops_after(6).is_ok());
        let now = Manifest::read(&list_path).expect("read").expect("a list");
        assert_eq!(now.lines.len(), list.lines.len());
        for (path, ours) in &now.lines {
            assert_eq!(
                manifest::look(path).expect("looked at").as_ref(),
                Some(ours)
            );
        }
    }
}
