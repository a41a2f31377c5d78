//! The settings of a run: the configuration files and the options that set variables, in their
//! order, and the report of their problems.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::mailx::attach_or_header::looks_like_file;
use crate::config::{Environment, Origin, Problem, Settings, Weight, mailrc, unknown_variable};
use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::sanitize;
use crate::sys::platform::SYSTEM_FILES;

/// Which configuration a command line asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs<'a> {
    /// Skip the system's files (`-n`).
    pub no_system_rc: bool,
    /// Skip the user's file.
    pub no_user_rc: bool,
    /// The user's file, instead of `$MAILRC` or `~/.mailrc`.
    pub user_file: Option<&'a Path>,
    /// How the option is spelled that sets a variable: `-S` or `--set`.
    pub set_option: &'static str,
    /// `-S`, in order.
    pub set: &'a [OsString],
    /// `-A`.
    pub account: Option<&'a OsStr>,
    /// Commands to execute (`-E 'command'`), in order.
    pub commands: &'a [OsString],
    /// `-v`, how often.
    pub verbose: u8,
    /// Whether a message is sent.
    pub sending: bool,
    /// Whether standard input is a terminal.
    pub terminal: bool,
    /// Whether the files were read before in this run: their problems were told.
    pub is_repeated: bool,
}

/// Reads the configuration in its order: defaults, the system's files, the user's, options.
///
/// Problems of single lines are printed, and the rest is read.
///
/// The second value says why nothing may be sent although the rest could be read: an account is
/// asked for that is not there (78), or the system failed while a file was read (75). The text of a
/// mail is kept then, and no mailbox is opened.
///
/// # Errors
/// 64 when `-S` sets what is no variable.
pub(super) fn read(
    inputs: &Inputs<'_>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<(Settings, Option<Failure>), Failure> {
    let home = environment.home_directory();
    let context = mailrc::Context {
        sending: inputs.sending,
        terminal: inputs.terminal,
        home: home.as_deref(),
    };
    let mut settings = Settings::default();
    read_files(inputs, environment, &context, &mut settings, diagnostics);
    // Commands of the command line come after the files, whose settings they outrank, and before
    // the account that they may define.
    let mut refusal = execute(inputs, &mut settings, &context);
    if environment.posixly_correct
        && let Some(failure) = refusal.take()
    {
        // POSIX lets a script go on.
        diagnostics.fail(&failure);
    }
    if let Some(path) = inputs.user_file.filter(|path| !path.exists()) {
        let what = format!(
            "the configuration file {} does not exist",
            sanitize::path(&path)
        );
        refusal = Some(Failure::new(Kind::Config, what));
    }
    if let Some(failure) = use_account(inputs, &context, &mut settings) {
        refusal = Some(failure);
    }
    // Options come last: they outrank every file and every account.
    for word in inputs.set {
        // The origin names the variable without its value, which may be a password.
        let text = word.to_string_lossy();
        let name = text.split('=').next().unwrap_or_default();
        let option = inputs.set_option;
        let origin = Origin::Option(format!("{option} {name}"));
        mailrc::apply_set(&mut settings, word, origin).map_err(|why| {
            let what = format!("{option} needs NAME or NAME=VALUE");
            Failure::new(Kind::Usage, what).because(why)
        })?;
    }
    if inputs.verbose > 0 {
        settings.set("verbose", "", Origin::Option("-v".to_owned()));
    }
    // Last, so that it outranks the others: where the system failed, a later try may find
    // everything in order.
    if let Some(failure) = unreadable(&settings) {
        refusal = Some(failure);
    }
    if !inputs.is_repeated {
        report_problems(&settings, inputs.sending, diagnostics);
        if inputs.verbose > 0 {
            for (name, origin) in settings.unknown() {
                diagnostics.say(&unknown_variable(name, origin));
            }
        }
    }
    Ok((settings, refusal))
}

/// Reads the configuration as [`read`] does, for what must not go on with a part of it.
///
/// # Errors
/// As [`read`], and what its second value says.
pub(super) fn read_whole(
    inputs: &Inputs<'_>,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Result<Settings, Failure> {
    match read(inputs, environment, diagnostics)? {
        (settings, None) => Ok(settings),
        (_, Some(refusal)) => Err(refusal),
    }
}

/// Reads the configuration files: the system's, then the user's, whose settings outrank those.
fn read_files(
    inputs: &Inputs<'_>,
    environment: &Environment,
    context: &mailrc::Context<'_>,
    settings: &mut Settings,
    diagnostics: &mut Diagnostics,
) {
    // $DEAD comes before the files: `set dead=` in one of them outranks it.
    if let Some(dead) = environment.dead.as_deref() {
        settings.set("dead", dead, Origin::Environment("DEAD"));
    }
    if !inputs.no_system_rc {
        for path in SYSTEM_FILES {
            mailrc::read_file(settings, Path::new(path), context);
        }
    }
    let user_file = inputs
        .user_file
        .map(PathBuf::from)
        .or_else(|| environment.mailrc.clone())
        .or_else(|| Some(context.home?.join(".mailrc")));
    let Some(path) = user_file.filter(|_| !inputs.no_user_rc) else {
        return;
    };
    let is_there = mailrc::read_file(settings, &path, context);
    // $MAILRC was set explicitly, so that its absence matters; ~/.mailrc is optional.
    let is_named = inputs.user_file.is_none() && environment.mailrc.is_some();
    if !is_there && is_named && !inputs.is_repeated {
        let path = sanitize::path(&path);
        diagnostics.say(&format!(
            "$MAILRC: the configuration file {path} does not exist"
        ));
    }
}

/// Uses the account that is asked for (`-A`); returns a failure if there is no such account.
fn use_account(
    inputs: &Inputs<'_>,
    context: &mailrc::Context<'_>,
    settings: &mut Settings,
) -> Option<Failure> {
    let account = inputs.account?;
    let name = account.to_string_lossy();
    // Accounts are defined in the files, so they were read before.
    if mailrc::use_account(settings, &name, context) {
        return None;
    }
    let shown = sanitize::line(name.as_bytes());
    // GNU mail attaches a file by -A: a name that looks like one was meant to be attached.
    if looks_like_file(account.as_bytes()) {
        let what = format!("there is no file {shown}, and no account of that name");
        return Some(Failure::new(Kind::NoInput, what).hint("--attach FILE attaches a file"));
    }
    let what = format!("there is no account {shown}");
    let names: Vec<&str> = settings.account_names().collect();
    let failure = Failure::new(Kind::Config, what);
    Some(if names.is_empty() {
        failure
            .because("the configuration defines no account")
            .hint("account NAME { … } in ~/.mailrc defines one")
    } else {
        failure.because(format!("the configuration defines {}", names.join(", ")))
    })
}

/// Returns a failure if a configuration file is there and could not be read.
///
/// It may hold the relay or the sender, so that nothing is sent by guess.
fn unreadable(settings: &Settings) -> Option<Failure> {
    let mut problems = settings.problems.iter();
    let Problem { origin, what, .. } = problems.find(|p| p.weight == Weight::Unread)?;
    let what = format!("cannot read the configuration: {origin}: {what}");
    let hint = "-n skips the system's files, MAILRC=/dev/null skips your own";
    Some(Failure::new(Kind::TryLater, what).hint(hint))
}

/// Prints the problems that stop nothing.
fn report_problems(settings: &Settings, sending: bool, diagnostics: &mut Diagnostics) {
    // The submission that is stopped by the first problem of the route prints it.
    let of_route = |problem: &&Problem| problem.weight == Weight::Route;
    let others = settings.problems.iter().filter(of_route).skip(1);
    let lines = settings
        .problems
        .iter()
        .filter(|p| p.weight == Weight::Line);
    for problem in lines.chain(others.filter(|_| sending)) {
        diagnostics.say(&problem.origin.says(&problem.what));
    }
}

/// Executes the commands of `-X` and `-E`, which are one script; returns why nothing more may be
/// done, if one of them failed.
///
/// Commands of the reader have no effect there. A message does not depend on them; but a script
/// that reads a mailbox would go on in another mailbox, or with other words, than were meant.
fn execute(
    inputs: &Inputs<'_>,
    settings: &mut Settings,
    context: &mailrc::Context<'_>,
) -> Option<Failure> {
    // Problems of the files are reported and stop nothing. Only those that the commands add are a
    // failure.
    let before = settings.problems.clone();
    let lines = inputs.commands.iter().map(|command| {
        let origin = Origin::Option(format!("command '{}'", command.to_string_lossy()));
        (origin, command.as_bytes().to_owned())
    });
    let without_effect = mailrc::apply_lines(settings, lines.collect(), context);
    if let Some(origin) = without_effect
        && !inputs.sending
    {
        let failure = Failure::new(Kind::Usage, format!("{origin}: it is not allowed here"));
        return Some(failure.hint("use -Y to execute a command of the reader"));
    }
    // A problem of the route stops a message by itself, and a value that cannot be used is no
    // failure where a mailbox is read.
    let stops = |problem: &Problem| {
        !before.contains(problem)
            && problem.variable.is_none()
            && (!inputs.sending || problem.weight == Weight::Line)
    };
    let at = settings.problems.iter().position(stops)?;
    let problem = settings.problems.remove(at);
    let what = problem.origin.says(&problem.what);
    Some(Failure::new(Kind::Usage, what))
}
