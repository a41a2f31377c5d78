//! The variables, aliases and lists that are set: the readers of the configuration fill
//! them, and every other module asks them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use crate::address::alias::Members;
use crate::address::ascii_domain;
use crate::charset::decode_text;
use crate::config::field_lists::{FieldLists, FieldUse};
use crate::config::mailing_lists::MailingLists;
use crate::config::problem::{Lines, Origin, Problem, Weight};
use crate::config::secret_owner::{self, Place, SecretOwner};
use crate::config::value::Targets;
use crate::config::variables::Row;
use crate::config::{value, variables};
use crate::sys::host;

/// How many entries all files and options may have: the names and members of aliases, fields and
/// addresses are one each; a variable and a line that is kept for later are four,
/// as they take memory.
pub(crate) const MAX_ENTRIES: usize = 100_000;

/// How many problems are kept.
const MAX_PROBLEMS: usize = 1_000;

/// The value of a variable and its origin; `None` is "unset on purpose".
#[derive(Clone, Debug)]
struct Setting {
    value: Option<String>,
    /// The value as it was written, where that is not UTF-8.
    bytes: Option<OsString>,
    origin: Origin,
    /// How many were set or unset before.
    order: usize,
    /// The relay that a secret was set for.
    owner: Option<SecretOwner>,
}

/// How much all `source` lines have read, of all files.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sourced {
    pub(super) files: usize,
    pub(super) bytes: usize,
    /// Whether the limit was reached, and that was reported.
    pub(super) is_over: bool,
}

/// All that is set: variables, aliases, lists.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    variables: BTreeMap<String, Setting>,
    /// How often anything was set, unset or added.
    pub(super) changes: usize,
    /// Names that stand for recipients, by `alias`.
    pub(crate) aliases: BTreeMap<String, Members>,
    /// The user's other addresses, by `alternates`.
    pub(crate) alternates: Vec<String>,
    /// Which header fields are shown, by `retain` and `ignore`.
    pub(crate) shown: FieldLists,
    /// Which are saved, by `saveretain` and `saveignore`.
    pub(crate) saved: FieldLists,
    /// Which are forwarded, by `fwdretain` and `fwdignore`.
    pub(crate) forwarded: FieldLists,
    /// Known mailing lists, by `mlist` and `mlsubscribe`.
    pub(crate) lists: MailingLists,
    /// What `source` lines have read.
    pub(super) sourced: Sourced,
    /// How many entries were read, of [`MAX_ENTRIES`].
    entries: usize,
    /// Whether a problem of this weight was left out, and that was reported.
    left_out: [bool; 2],
    /// The blocks of `account NAME { … }`, as lines with their place.
    pub(super) accounts: BTreeMap<String, Lines>,
    /// The macros of all files: whether their blocks set the route, and which macros they call.
    pub(super) macros: BTreeMap<String, (bool, Vec<String>)>,
    /// The last shell command of `!` and `~!`.
    pub(super) last_command: Option<Vec<u8>>,
    /// Other names for commands, by `commandalias`.
    pub(super) command_aliases: BTreeMap<String, String>,
    /// The settings that the account in use has changed.
    in_account: AccountChanges,
    /// The name of the account in use.
    account_in_use: Option<String>,
    /// The problems that were found.
    pub(crate) problems: Vec<Problem>,
    /// How many of them, from the first on, were reported to the person at the prompt.
    told: usize,
    /// What `echo` lines of the files say.
    pub(crate) echoes: Vec<String>,
    /// Whether a configuration file is closed to us: it may hold the relay.
    pub(crate) has_closed_file: bool,
}

/// The variables that the account in use has changed, with what they were before.
///
/// Another account takes them back, as in s-nail: the login of one relay must not go to another.
#[derive(Clone, Debug, Default)]
struct AccountChanges {
    before: BTreeMap<String, Option<Setting>>,
    /// Whether lines of the account are being read.
    is_open: bool,
    /// The last change that is the account's.
    last: usize,
    /// How many accounts were used so far.
    count: usize,
}

impl Settings {
    /// Returns the lists of header fields for this use.
    pub(crate) fn fields(&self, what: FieldUse) -> &FieldLists {
        match what {
            FieldUse::Show => &self.shown,
            FieldUse::Save => &self.saved,
            FieldUse::Forward => &self.forwarded,
        }
    }

    /// Returns the lists of header fields for this use, to be changed.
    pub(super) fn fields_mut(&mut self, what: FieldUse) -> &mut FieldLists {
        match what {
            FieldUse::Show => &mut self.shown,
            FieldUse::Save => &mut self.saved,
            FieldUse::Forward => &mut self.forwarded,
        }
    }

    /// Returns the value of a variable: as set, else its default; a flag that is set is `""`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(
            variables::row_of(name).is_some_and(|row| row.name == name),
            "{name} is not in the table"
        );
        match self.variables.get(name) {
            // A variable that was unset on purpose has no value, not its default: `unset keep`.
            Some(setting) => setting.value.as_deref(),
            None => match variables::row_of(name)?.default {
                "" => None,
                "set" => Some(""),
                default => Some(default),
            },
        }
    }

    /// Returns what `commandalias` has a name stand for, in an rc file or at the prompt.
    pub(crate) fn command_alias(&self, name: &str) -> Option<&str> {
        self.command_aliases.get(name).map(String::as_str)
    }

    /// Returns the value of any variable, known to us or not, as `$name` asks for it.
    pub(crate) fn any(&self, name: &str) -> Option<&str> {
        let name = variables::row_of(name).map_or(name, |row| row.name);
        self.variables.get(name)?.value.as_deref()
    }

    /// Returns a value that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns a value that is not empty, as the bytes that were written: the name of a file.
    pub(crate) fn path(&self, name: &str) -> Option<&OsStr> {
        let text = self.text(name)?;
        let bytes = self
            .variables
            .get(name)
            .and_then(|row| row.bytes.as_deref());
        Some(bytes.unwrap_or(OsStr::new(text)))
    }

    /// Returns whether a variable was unset on purpose: `unset crt`, `set nocrt`.
    pub(crate) fn is_unset(&self, name: &str) -> bool {
        let setting = self.variables.get(name);
        setting.is_some_and(|setting| setting.value.is_none())
    }

    /// Returns whether a variable is set, with or without a value.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns a whole number; the default counts where none is set.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.measure(name, value::number)
    }

    /// Returns a time, at most a year; the default counts where none is set.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        self.measure(name, value::seconds).map(value::duration)
    }

    /// Returns a size in bytes.
    pub(crate) fn size(&self, name: &str) -> Option<u64> {
        self.measure(name, value::size)
    }

    /// Reads a value; an empty one, and one that is unset on purpose, count as the default.
    fn measure(&self, name: &str, read: fn(&str) -> Option<u64>) -> Option<u64> {
        let default = || variables::row_of(name).map(|row| row.default);
        read(self.text(name).or_else(default)?.trim())
    }

    /// Returns what recipients may be besides addresses (`expandaddr`).
    pub(crate) fn targets(&self) -> Targets {
        let value = self.get("expandaddr");
        value.and_then(value::targets).unwrap_or_default()
    }

    /// Returns how long to wait for the lock of a mailbox, for every writer of one.
    pub(crate) fn lock_timeout(&self) -> Duration {
        let set = self.duration("lock-timeout");
        set.unwrap_or(Duration::from_secs(30))
    }

    /// Returns this host's name, in ASCII: `hostname`, else the full name that the host's files
    /// give, else the name of the node.
    pub(crate) fn host_name(&self) -> String {
        let name = match self.text("hostname") {
            Some(name) => name.to_owned(),
            None => host::qualified_name().unwrap_or_else(host::node_name),
        };
        in_ascii(name)
    }

    /// Returns the name for EHLO, in ASCII: `smtp-hostname`, else this host's name.
    pub(crate) fn helo_name(&self) -> String {
        let name = self.text("smtp-hostname").map(str::to_owned);
        name.map_or_else(|| self.host_name(), in_ascii)
    }

    /// Returns a number that is another one after every change; a reader sees by it that what it
    /// knows of the settings is stale.
    pub(crate) fn revision(&self) -> usize {
        self.changes
    }

    /// Returns where a variable's value came from.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        self.variables
            .get(name)
            .map_or(Origin::Default, |setting| setting.origin.clone())
    }

    /// Returns whether the first of two variables was set after the second.
    pub(crate) fn is_later(&self, first: &str, second: &str) -> bool {
        let order = |name| self.variables.get(name).map(|setting| setting.order);
        // A variable that was never set has no order, and `None` is less than every number.
        order(first) > order(second)
    }

    /// Sets a variable; names that are another name for one of ours become ours.
    ///
    /// A value that the row does not take is reported, and the variable has its default.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>, origin: Origin) {
        let bytes = value.as_ref();
        let value = decode_text(bytes.as_bytes());
        let Some(row) = variables::row_of(name) else {
            return self.set_unknown(name, &value, origin);
        };
        // The last value counts, so a problem of an earlier one is gone: `-S smtp=HOST` mends
        // what a file of the system has wrong.
        self.make_good(row.name);
        match row.kind.judge(&value, row.is_way_out) {
            Ok(judged) => {
                // Bytes are kept only where the text cannot give them back; a word that was put
                // into the spelling of the table is always UTF-8.
                let as_written = judged.as_deref() == Some(&*value);
                let bytes = (as_written && bytes.to_str().is_none()).then(|| bytes.to_owned());
                let value = judged.map(|value| value.into_owned());
                self.store(row.name, value, bytes, origin);
            }
            Err(what) => {
                self.remember(row.name);
                self.changes += 1;
                // The earlier value goes as well: this line was to replace it, and the problem
                // says that the default counts.
                self.variables.remove(row.name);
                self.refuse(row, name, &what, origin);
            }
        }
    }

    /// Unsets a variable.
    ///
    /// Where the name differs only by case from that of a variable that is set, and was not set
    /// itself, the other one was meant: that is reported.
    pub(crate) fn unset(&mut self, name: &str, origin: Origin) {
        let name = variables::row_of(name).map_or(name, |row| row.name);
        let is_known = variables::row_of(name).is_some() || self.variables.contains_key(name);
        self.make_good(name);
        if !is_known
            && let Some(judged) = variables::judge_name(name)
            && let Some(row) = judged.twin.and_then(variables::row_of)
            && self.is_set(row.name)
        {
            self.misnamed(name, judged, origin.clone());
        }
        self.store(name, None, None, origin);
    }

    /// Stores a variable that has no row; if its name is one of the route, it stops mail (D21).
    fn set_unknown(&mut self, name: &str, value: &str, origin: Origin) {
        self.make_good(name);
        // `set tls-something=no` asks for nothing, so nothing is missing where that is not
        // supported.
        let says_no = !value.is_empty() && value::yes_or_no(value.trim()) == Some(false);
        let judged = variables::judge_name(name);
        if let Some(judged) = judged.filter(|judged| judged.twin.is_some() || !says_no) {
            self.misnamed(name, judged, origin.clone());
        }
        self.store(name, Some(value.to_owned()), None, origin);
    }

    /// Reports a name that is not one of the table.
    fn misnamed(&mut self, name: &str, judged: variables::Misnamed, origin: Origin) {
        self.add_problem(Problem {
            origin,
            what: judged.what,
            hint: judged.hint,
            weight: if judged.is_way_out {
                Weight::Route
            } else {
                Weight::Line
            },
            variable: Some(name.to_owned()),
        });
    }

    fn store(
        &mut self,
        name: &str,
        value: Option<String>,
        bytes: Option<OsString>,
        origin: Origin,
    ) {
        // A variable that is set again takes no more memory.
        if !self.variables.contains_key(name) && !self.has_room(4, &origin) {
            return;
        }
        self.remember(name);
        self.changes += 1;
        let owner = value
            .as_deref()
            .and_then(|value| self.owner_of(name, value, &origin));
        let setting = Setting {
            value,
            bytes,
            origin,
            order: self.changes,
            owner,
        };
        self.variables.insert(name.to_owned(), setting);
    }

    /// Returns the owner of a secret that is set here; where a relay is named here, those that are
    /// set already hear of it.
    fn owner_of(&mut self, name: &str, value: &str, origin: &Origin) -> Option<SecretOwner> {
        let account = self.in_account.is_open.then_some(self.in_account.count);
        let place = Place::of(origin, account);
        if secret_owner::is_relay(name, value) {
            let settings = self.variables.values_mut();
            for owner in settings.filter_map(|setting| setting.owner.as_mut()) {
                owner.names_relay(&place, value);
            }
        }
        secret_owner::is_secret(name).then(|| SecretOwner::new(place, self.relay_in_force()))
    }

    /// Returns the relay that `mta` or `smtp` names now, the later one of two.
    fn relay_in_force(&self) -> Option<&str> {
        let relays = ["mta", "smtp"].into_iter().filter_map(|name| {
            let setting = self.variables.get(name)?;
            let value = setting.value.as_deref()?;
            secret_owner::is_relay(name, value).then_some((setting.order, value))
        });
        relays.max().map(|(_, value)| value)
    }

    /// Returns the relays that a secret was set for, as `mta` or `smtp` name them.
    pub(crate) fn relay_of_secret(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.owner.as_ref()?.relay()
    }

    /// Keeps what a variable was before the account in use changed it.
    fn remember(&mut self, name: &str) {
        if self.in_account.is_open && !self.in_account.before.contains_key(name) {
            let before = self.variables.get(name).cloned();
            self.in_account.before.insert(name.to_owned(), before);
        }
    }

    /// Begins the lines of an account: what the account before it has changed is taken back.
    pub(crate) fn enter_account(&mut self) {
        let last = self.in_account.last;
        let is_open = std::mem::replace(&mut self.in_account.is_open, true);
        self.in_account.count += usize::from(!is_open);
        for (name, before) in std::mem::take(&mut self.in_account.before) {
            // What was set again behind the account stays.
            let is_later = |setting: &Setting| !is_open && setting.order > last;
            if self.variables.get(&name).is_some_and(is_later) {
                continue;
            }
            self.make_good(&name);
            self.changes += 1;
            match before {
                Some(setting) => drop(self.variables.insert(name, setting)),
                None => drop(self.variables.remove(&name)),
            }
        }
    }

    /// Ends the lines of an account.
    pub(crate) fn end_of_account(&mut self) {
        self.in_account.is_open = false;
        self.in_account.last = self.changes;
    }

    /// Reports a value that its row does not take; `name` is the one that was written.
    fn refuse(&mut self, row: &Row, name: &str, what: &str, origin: Origin) {
        let (weight, rest) = if row.is_way_out {
            (Weight::Route, "")
        } else {
            (Weight::Line, "; the default is used")
        };
        self.add_problem(Problem {
            origin,
            what: format!("{name} {what}{rest}"),
            hint: None,
            weight,
            variable: Some(row.name.to_owned()),
        });
    }

    /// Keeps a problem to be reported; beyond [`MAX_PROBLEMS`] only that there are more.
    ///
    /// A later value cannot correct a problem that was not stored.
    pub(crate) fn add_problem(&mut self, problem: Problem) {
        let weight = match problem.weight {
            Weight::Line => 0,
            Weight::Route => 1,
            // There are no more of these than files.
            Weight::Unread => return self.problems.push(problem),
        };
        // The lines of an account are read each time it is used.
        if self.problems.contains(&problem) {
            return;
        }
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        } else if !std::mem::replace(&mut self.left_out[weight], true) {
            let what = "there are more errors here that are not shown";
            let more = Problem::of_line(&problem.origin, what, problem.weight);
            self.problems.push(more);
        }
    }

    /// Counts entries; returns whether there is room for them.
    ///
    /// Without room nothing is sent: the rest may set the route, or name a recipient.
    pub(super) fn has_room(&mut self, entries: usize, origin: &Origin) -> bool {
        let had_room = self.entries <= MAX_ENTRIES;
        self.entries = self.entries.saturating_add(entries);
        let has_room = self.entries <= MAX_ENTRIES;
        if had_room && !has_room {
            let what = format!(
                "the configuration has more than {MAX_ENTRIES} entries: the rest is ignored"
            );
            self.add_problem(Problem::of_line(origin, what, Weight::Route));
        }
        has_room
    }

    /// Returns whether a macro, or one that it calls, sets a variable of the route.
    pub(super) fn calls_way_out(&self, name: &str) -> bool {
        // Macros may call each other in a circle: each is looked at once.
        let mut seen = BTreeSet::from([name]);
        let mut left = vec![name];
        while let Some(name) = left.pop() {
            match self.macros.get(name) {
                Some((true, _)) => return true,
                Some((false, calls)) => {
                    left.extend(
                        calls
                            .iter()
                            .map(String::as_str)
                            .filter(|name| seen.insert(name)),
                    );
                }
                None => {}
            }
        }
        false
    }

    /// Drops the problems of a variable that now has another value.
    fn make_good(&mut self, name: &str) {
        let is_left = |problem: &Problem| problem.variable.as_deref() != Some(name);
        let told = self.problems.iter().take(self.told);
        self.told = told.filter(|problem| is_left(problem)).count();
        self.problems.retain(is_left);
    }

    /// Counts the problems that there are now as reported.
    pub(crate) fn problems_are_told(&mut self) {
        self.told = self.problems.len();
    }

    /// Returns the problems that a command at the prompt has made.
    ///
    /// Those that stop mail stay until another value makes them good; the others end here.
    pub(crate) fn take_new_problems(&mut self) -> Vec<Problem> {
        let new: Vec<Problem> = self.problems.drain(self.told..).collect();
        let lasting = new.iter().filter(|problem| problem.weight != Weight::Line);
        self.problems.extend(lasting.cloned());
        self.problems_are_told();
        new
    }

    /// Returns the meanings of the names that `commandalias` gives.
    pub(crate) fn command_aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.command_aliases.iter();
        names.map(|(name, meant)| (name.as_str(), meant.as_str()))
    }

    /// Returns the variables that are set and have no row, which nothing here asks for, and where each
    /// was set.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = (&str, &Origin)> {
        let set = self
            .variables
            .iter()
            .filter(|(name, setting)| setting.value.is_some() && variables::row_of(name).is_none());
        set.map(|(name, setting)| (name.as_str(), &setting.origin))
    }

    /// Returns where a variable was set that has no row; `None` if it has one, or is not set.
    pub(crate) fn unknown_origin(&self, name: &str) -> Option<&Origin> {
        let setting = self.variables.get(name)?;
        (setting.value.is_some() && variables::row_of(name).is_none()).then_some(&setting.origin)
    }

    /// Returns all variables that were set or unset.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let variables = self.variables.iter();
        variables.map(|(name, setting)| (name.as_str(), setting.value.as_deref()))
    }

    /// Returns the account in use: that of `-A`, or of the last command `account`.
    pub(crate) fn account_in_use(&self) -> Option<&str> {
        self.account_in_use.as_deref()
    }

    /// Remembers the account in use.
    pub(super) fn set_account_in_use(&mut self, name: Option<&str>) {
        self.account_in_use = name.map(str::to_owned);
    }

    /// Returns the names of the accounts.
    pub(crate) fn account_names(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// Returns the lines of an account, if there is one of this name.
    pub(super) fn account(&self, name: &str) -> Option<&Lines> {
        self.accounts.get(name)
    }
}

/// Returns the ASCII form of a host's name; a name that has none, which only a file of the system
/// can hold, stays as it is.
fn in_ascii(name: String) -> String {
    ascii_domain(&name).map_or_else(|_| name.clone(), |ascii| ascii.into_owned())
}
