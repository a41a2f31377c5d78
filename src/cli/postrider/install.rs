//! `postrider install`: its arguments, and what it does.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::usage;
use crate::config::Environment;
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::flow;
use crate::install::plan::Place;
use crate::install::{place, remove};
use crate::sanitize;
use crate::sys::user;

/// The arguments of `install`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct InstallArguments {
    /// Install below this directory; /usr/local for root, ~/.local for others
    #[arg(long, value_name = "DIR")]
    pub prefix: Option<PathBuf>,

    /// Install for yourself: below ~/.local, with units of your own and nothing in /etc
    #[arg(long)]
    pub user: bool,

    /// Also install sendmail, mailq and newaliases, on a machine without an MTA
    #[arg(long, conflicts_with_all = ["user", "uninstall"])]
    pub mta: bool,

    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Remove what was installed; files that were changed since are kept and named
    #[arg(long)]
    pub uninstall: bool,
}

/// Runs the subcommand.
pub(super) fn run(
    arguments: &InstallArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) {
    let done = if arguments.uninstall {
        uninstall(arguments, environment, diagnostics)
    } else {
        install(arguments, environment, diagnostics)
    };
    if let Err(failure) = done {
        diagnostics.fail(&failure);
    }
}

fn install(
    arguments: &InstallArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<(), Failure> {
    let place = place_of(arguments, environment)?;
    let signals = flow::watch_signals(false)?;
    let is_stopped = || signals.received().is_some();
    let installed = place::install(&place, arguments.dry_run, &is_stopped);
    if installed.is_err()
        && let Some(signal) = signals.received()
    {
        diagnostics.note(Kind::Signal(signal));
    }
    let done = installed.map_err(|failure| with_advice(failure, arguments))?;
    print(&done.lines, diagnostics);
    for what in &done.in_the_way {
        diagnostics.fail(&Failure::new(Kind::CannotCreate, what.clone()));
    }
    if place.root.is_none() && !arguments.dry_run {
        advise(&place, environment, diagnostics);
    }
    Ok(())
}

fn uninstall(
    arguments: &InstallArguments,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<(), Failure> {
    let place = place_of(arguments, environment)?;
    let removed = remove::uninstall(&place, arguments.dry_run)?;
    print(&removed.lines, diagnostics);
    for what in &removed.kept {
        diagnostics.say(what);
    }
    for failure in &removed.failures {
        diagnostics.fail(failure);
    }
    if place.stays && !arguments.dry_run {
        let program = sanitize::path(&place.program);
        diagnostics.warn(
            &format!("the program itself stays: {program}"),
            Some("if cargo has installed it, remove it with: cargo uninstall postrider"),
        );
    }
    Ok(())
}

fn print(lines: &[String], diagnostics: &mut Diagnostics) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    diagnostics.print(&text);
}

/// Says where somebody without rights may install.
fn with_advice(failure: Failure, arguments: &InstallArguments) -> Failure {
    let needs_other = failure.kind == Kind::NoPermission && failure.hint.is_none();
    if needs_other && arguments.prefix.is_some() && user::effective_uid() != 0 {
        return failure
            .hint("run it as root, or without --prefix: it installs below ~/.local then");
    }
    failure
}

/// Returns where to install, and for whom.
fn place_of(arguments: &InstallArguments, environment: &Environment) -> Result<Place, Failure> {
    let root = environment.destdir.clone();
    let root = root.map(|root| absolute(&root)).transpose()?;
    // A package for all users is made by anybody, below a root of its own.
    let for_user = arguments.user || (root.is_none() && user::effective_uid() != 0);
    if arguments.mta && for_user {
        let what = "only root can install an MTA's sendmail";
        return Err(
            Failure::new(Kind::NoPermission, what).hint("run it as root, or leave out --mta")
        );
    }
    let prefix = match &arguments.prefix {
        Some(prefix) => absolute(prefix)?,
        None if for_user => absolute(&home(environment)?.join(".local"))?,
        None => PathBuf::from("/usr/local"),
    };
    let program = env::current_exe().map_err(|error| {
        Failure::new(Kind::NoInput, "cannot find the file of this program").because(error)
    })?;
    // Where cargo has put it for one user, it stays: the next `cargo install` replaces it there, and
    // the links lead to the new one. Others cannot reach it there, so for them it is copied.
    let home = environment.home_directory();
    let is_of_home = home.is_some_and(|home| prefix.starts_with(home));
    let stays = for_user
        && root.is_none()
        && is_of_home
        && program.parent() != Some(&prefix.join("bin"))
        && is_in_search_path(&program, environment);
    Ok(Place {
        prefix,
        root,
        for_user,
        mta: arguments.mta,
        program,
        stays,
    })
}

fn home(environment: &Environment) -> Result<PathBuf, Failure> {
    let home = environment.home_directory();
    home.filter(|home| home.is_absolute()).ok_or_else(|| {
        usage("there is no home directory to install in").hint("name a directory with --prefix")
    })
}

/// Returns a directory from the root on. The list of what is installed has lines and tabs.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let shown = sanitize::path(path);
    if path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .any(|b| b.is_ascii_control())
    {
        return Err(usage(format!(
            "cannot install in {shown}: the name has control characters"
        )));
    }
    std::path::absolute(path)
        .map_err(|error| usage(format!("cannot install in {shown}")).because(error))
}

fn is_in_search_path(program: &Path, environment: &Environment) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let directory = program.parent().and_then(real);
    let mut directories = environment.search_path();
    directory.is_some() && directories.any(|one| real(&one) == directory)
}

/// Says what else is needed, so that all of it is found and works.
fn advise(place: &Place, environment: &Environment, diagnostics: &Diagnostics) {
    if place.mta {
        // What a user's cron job writes is left to root, whose timer sends it.
        let units = "postrider-outbox.timer postrider-outbox.path";
        let hint = format!(
            "systemd-tmpfiles --create postrider.conf && systemctl daemon-reload && systemctl enable --now {units}"
        );
        diagnostics.warn(
            "mail that users leave to root is sent by a timer, which is not enabled",
            Some(&hint),
        );
    }
    find(place, environment, diagnostics);
    if place.for_user && environment.has_command("zsh") {
        let zsh = place.prefix.join("share/zsh/site-functions");
        let path = sanitize::path(&zsh);
        diagnostics.warn(
            "zsh finds completions of your own only where fpath names them",
            Some(&format!(
                "add it in ~/.zshrc, before compinit: fpath+=({path}); if no compinit is there, add: autoload -Uz compinit && compinit"
            )),
        );
    }
}

/// Returns how people add a directory to PATH, each in the file that their shell reads.
fn how_to_add(bin: &Path, environment: &Environment) -> String {
    let shown = sanitize::path(bin);
    let shell = environment.shell.as_deref().map(Path::new);
    let local = environment
        .home_directory()
        .map(|home| home.join(".local/bin"));
    match shell.and_then(Path::file_name).and_then(OsStr::to_str) {
        Some("fish") => format!("add it: fish_add_path {shown}"),
        // zsh does not read ~/.profile.
        Some("zsh") => format!("add it in ~/.zshrc, and start zsh again: PATH={shown}:$PATH"),
        // The ~/.profile of Debian adds this directory where there is one.
        _ if local.as_deref() == Some(bin) => {
            format!("log in again; if that is not enough, add it in ~/.profile: PATH={shown}:$PATH")
        }
        _ => format!("add it in ~/.profile, and log in again: PATH={shown}:$PATH"),
    }
}

/// Says why a command of the shell is another program than the one that was installed.
fn find(place: &Place, environment: &Environment, diagnostics: &Diagnostics) {
    let bin = place.prefix.join("bin");
    let directories: Vec<PathBuf> = environment.search_path().collect();
    if !directories.contains(&bin) {
        let shown = sanitize::path(&bin);
        let hint = how_to_add(&bin, environment);
        diagnostics.warn(
            &format!("the shell does not look for commands in {shown}"),
            Some(&hint),
        );
        return;
    }
    let ours = fs::canonicalize(place.started()).ok();
    for name in ["postrider", "mailx"] {
        let mut all = directories.iter().map(|directory| directory.join(name));
        let first = all.find(|path| path.exists());
        let Some(first) = first else { continue };
        if fs::canonicalize(&first).ok() != ours {
            let what = format!("the shell takes {} for {name}", sanitize::path(&first));
            let hint = format!("put {} before it in PATH", sanitize::path(&bin));
            diagnostics.warn(&what, Some(&hint));
        }
    }
}
