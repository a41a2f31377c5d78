//! Who a mail is from and for: senders, recipients, and the aliases of the mailrc.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::address::{
    AddressError, BareName, BareNames, MAX_RECIPIENTS, NamedAddress, Recipient, ReversePath, alias,
    is_rest, parse_people, parse_recipients, readings,
};
use crate::charset;
use crate::compose::{BadRecipient, Composed, Composer, RecipientField, Request};
use crate::config::{Environment, KnownNames, Origin, Settings};
use crate::exit::{Failure, Kind};
use crate::message::{HeaderName, HeaderValue};
use crate::sanitize;
use crate::sys::user;

/// Why a word like `Müller` is no address in a header field.
const NO_LOCAL_NAME: &str = "it has no domain, and it is not an ASCII name like that of an account";

/// Returns a value that is refused, and the field that it is for, as messages name them.
fn shown_value(field: &HeaderName, value: &str) -> String {
    if field.is("From") {
        format!("the sender \"{value}\"")
    } else {
        format!("{field} \"{value}\"")
    }
}

impl Composer<'_> {
    /// Parses the addresses of a field other than To, Cc and Bcc; an invalid one stops the mail.
    pub(super) fn addresses(
        &mut self,
        name: &HeaderName,
        value: &HeaderValue,
    ) -> Vec<NamedAddress> {
        if self.is_name_alone(value.as_str()) {
            self.name_alone(name, value.as_str());
            return Vec::new();
        }
        if let Some(person) = self.without_brackets(value.as_str()) {
            self.no_brackets(name, value.as_str(), &person);
            return Vec::new();
        }
        let mut addresses = Vec::new();
        for entry in parse_people(value.as_str(), &|name| self.names.ask(name)) {
            match entry.and_then(|named| self.with_sound_local_name(named)) {
                Ok(address) => addresses.push(address),
                Err(error) => {
                    let shown = sanitize::line(error.text.as_bytes());
                    let what = format!("{name} \"{shown}\" is not an address");
                    let mut failure = Failure::new(Kind::Data, what);
                    failure.hint = readings(&error);
                    if error.reason == NO_LOCAL_NAME && value.as_str().contains(',') {
                        failure = failure.hint("a name that contains a comma needs quotes: \"Doe, John\" <john@example.org>");
                    }
                    self.composed.failures.push(failure.because(error));
                }
            }
        }
        addresses
    }

    /// Refuses a name without a domain that is not ASCII, unless there is such an account or alias.
    ///
    /// It is half of a person's name, as in `Müller, Jörg <joerg@example.org>`, and would stand in the
    /// header as raw 8-bit bytes.
    fn with_sound_local_name(&self, named: NamedAddress) -> Result<NamedAddress, AddressError> {
        let address = named.address();
        let is_ascii = !address.is_local_name() || !address.needs_smtputf8();
        if is_ascii || self.names.ask(address.as_str()) != BareName::Unknown {
            return Ok(named);
        }
        Err(AddressError {
            text: address.to_string(),
            reason: NO_LOCAL_NAME,
        })
    }

    /// Returns whether a text is words without an address: `Backup Server`, `Doe, John`.
    fn is_name_alone(&self, text: &str) -> bool {
        // A comment names the person behind an account: `root (Cron Daemon)`.
        if text.contains(['@', '<', ':', '(']) {
            return false;
        }
        let is_break = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"');
        let words: Vec<&str> = text
            .split(is_break)
            .filter(|word| !word.is_empty())
            .collect();
        // Several names of this host are several addresses.
        words.len() > 1
            && !words
                .iter()
                .all(|word| self.names.ask(word) == BareName::Known)
    }

    /// Returns the person that a text means which is a name and one address without angle brackets:
    /// `Backup Server <b@example.org>` of `Backup Server b@example.org`.
    ///
    /// As a list it would be three authors, and bounces would go to the first, `Backup`.
    fn without_brackets(&self, text: &str) -> Option<String> {
        if text.contains([',', ';', '<', '>', ':', '"', '(']) {
            return None;
        }
        let (addresses, name): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|word| word.contains('@'));
        let is_list = name
            .iter()
            .all(|word| self.names.ask(word) == BareName::Known);
        match addresses.as_slice() {
            // `a @example.org` may be one address.
            [address] if !is_list && !address.starts_with('@') && !address.ends_with('@') => {
                Some(format!("{} <{address}>", name.join(" ")))
            }
            _ => None,
        }
    }

    /// Refuses a name and an address that no angle brackets tell apart.
    fn no_brackets(&mut self, field: &HeaderName, text: &str, person: &str) {
        let shown = shown_value(field, &sanitize::line(text.as_bytes()));
        let what = format!("{shown} is a name and an address without angle brackets");
        let person = sanitize::line(person.as_bytes());
        let failure = Failure::new(Kind::Data, what).hint(format!("write '{person}'"));
        self.composed.failures.push(failure);
    }

    /// Refuses a text that is the name of a person or a machine, and no address.
    fn name_alone(&mut self, field: &HeaderName, text: &str) {
        let name = sanitize::line(text.as_bytes()).replace('"', "");
        let what = format!("{} is a name without an address", shown_value(field, &name));
        // A comma would end the name.
        let name = if name.contains([',', ';']) {
            format!("\"{name}\"")
        } else {
            name
        };
        let (login, host) = (user::login_name(), self.settings.host_name());
        let hint = format!("write an address after the name, as in '{name} <{login}@{host}>'");
        let failure = Failure::new(Kind::Data, what).hint(hint);
        self.composed.failures.push(failure);
    }

    /// Finds the sender that was asked for: `-r`, a From field, the variables.
    pub(super) fn sender(&mut self, request: &Request, environment: &Environment) {
        if let Some(name) = &request.full_name {
            let (value, _) = HeaderValue::from_free_text(name.as_bytes());
            self.composed.draft.full_name = Some(value);
        }
        let by_option = request.from.as_ref().map(|from| {
            let from = HeaderValue::from_bytes(from.as_bytes()).map_err(|error| {
                let shown = sanitize::line(from.as_bytes());
                Failure::new(
                    Kind::Data,
                    format!("the sender \"{shown}\" is not an address"),
                )
                .because(error)
            });
            match from {
                Ok(from) => self.one_sender(&from),
                Err(failure) => {
                    self.composed.failures.push(failure);
                    Vec::new()
                }
            }
        });
        let from = self.variable("from");
        let sender = self.variable("sender").into_iter().next();
        // -S from= is said for this mail: another run would not know it.
        let settings = self.settings;
        let is_kept = |name| !matches!(settings.origin(name), Origin::Option(_));
        let draft = &mut self.composed.draft;
        if draft.from.is_empty() {
            draft.by_variable.from = by_option.is_none() && is_kept("from");
            draft.from = by_option.clone().unwrap_or(from);
        }
        self.name_the_author();
        let draft = &mut self.composed.draft;
        if draft.sender.is_none() {
            // RFC 5322 section 3.6.2: of several authors one is the sender.
            let first = draft.from.first().filter(|_| draft.from.len() > 1);
            draft.by_variable.sender = match &sender {
                Some(_) => is_kept("sender"),
                None => draft.by_variable.from,
            };
            draft.sender = sender.or(first.cloned());
        }
        // Reports about this mail go to the one who sends it: -r says who that is, else the
        // Sender field, else the first author.
        let by_option = by_option.as_deref().and_then(<[NamedAddress]>::first);
        draft.by_variable.envelope = match (by_option, &draft.sender) {
            (Some(_), _) => false,
            (None, Some(_)) => draft.by_variable.sender,
            (None, None) => draft.by_variable.from,
        };
        draft.envelope_sender = by_option
            .or(draft.sender.as_ref())
            .or(draft.from.first())
            .map(|address| ReversePath::Address(address.address().clone()));
        if draft.reply_to.is_empty() {
            self.composed.draft.reply_to = match self.settings.text("replyto") {
                Some(_) => self.variable("replyto"),
                // bsd-mailx takes $REPLYTO; a variable goes before the environment.
                None => environment
                    .replyto
                    .as_ref()
                    .and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok())
                    .map(|value| self.addresses(&HeaderName::known("Reply-To"), &value))
                    .unwrap_or_default(),
            };
        }
    }

    /// Gives the author the name of `--full-name`, wherever the address comes from.
    fn name_the_author(&mut self) {
        let Composed {
            draft, warnings, ..
        } = &mut self.composed;
        match (&draft.full_name, draft.from.as_mut_slice()) {
            (None, _) | (_, []) => {}
            (Some(name), [author]) => {
                *author = NamedAddress::new(Some(name.as_str()), author.address().clone());
            }
            (Some(_), _) => warnings.push(
                "--full-name is not used: the message has more than one author"
                    .to_owned()
                    .into(),
            ),
        }
    }

    /// Parses the address of `-r`: one, for it is the envelope sender too.
    fn one_sender(&mut self, from: &HeaderValue) -> Vec<NamedAddress> {
        let addresses = self.addresses(&HeaderName::known("From"), from);
        if addresses.len() > 1 {
            let shown = sanitize::line(from.as_str().as_bytes());
            let what = format!("the sender \"{shown}\" is more than one address");
            self.composed.failures.push(Failure::new(Kind::Data, what));
        }
        addresses
    }

    /// Parses the addresses that a variable holds.
    fn variable(&mut self, name: &'static str) -> Vec<NamedAddress> {
        let Some(text) = self.settings.text(name) else {
            return Vec::new();
        };
        match HeaderValue::new(text) {
            Ok(value) => self.addresses(&HeaderName::known(name), &value),
            Err(error) => {
                let what = format!("the variable {name} does not contain an address");
                let failure = Failure::new(Kind::Data, what).because(error);
                self.composed.failures.push(failure);
                Vec::new()
            }
        }
    }

    /// Parses one recipient list and expands the aliases of the mailrc in it.
    pub(super) fn recipients(&mut self, bytes: &[u8], field: RecipientField) {
        if self.composed.is_too_many {
            return;
        }
        let text = charset::decode_text(bytes);
        let allowed = self.settings.targets();
        // Where one kind is allowed both are recognised: what `expandaddr` takes away is then
        // refused with its own reason, and not as a bad address.
        let takes_others = allowed.files || allowed.commands;
        // What a program finished follows RFC 5322: there a comma ends an entry.
        let ask = |name: &str| self.names.ask(name);
        let names: Option<BareNames<'_>> = (!self.is_finished).then_some(&ask);
        // The list is parsed as text, but the name of a file must become the bytes that were typed:
        // it is taken from the same entry of a text that has them.
        let (reversible, charset) = charset::decode_reversibly(bytes);
        let written = takes_others.then(|| parse_recipients(&reversible, takes_others, names));
        let mut written = written.into_iter().flatten();
        for entry in parse_recipients(&text, takes_others, names) {
            let as_written = match written.next() {
                Some(Ok(Recipient::File(name) | Recipient::Command(name))) => {
                    OsString::from_vec(charset::encode_text(&name, charset))
                }
                _ => OsString::new(),
            };
            if self.composed.is_too_many {
                return;
            }
            match entry {
                Ok(Recipient::Address(address))
                    if is_alias(&address, self.settings) && !self.is_received(&address) =>
                {
                    self.alias(&address, field);
                }
                Ok(Recipient::Address(address)) => self.recipient(address, field),
                Ok(Recipient::File(path)) if !allowed.files => {
                    self.bad_recipient(
                        &path,
                        "it names a file, and 'expandaddr' does not allow it",
                    );
                }
                Ok(Recipient::Command(command)) if !allowed.commands => {
                    let why = "it names a command, and 'expandaddr' does not allow it";
                    self.bad_recipient(&command, why);
                }
                Ok(Recipient::File(_)) => {
                    self.composed.draft.files.push(as_written);
                }
                Ok(Recipient::Command(_)) => {
                    self.composed.draft.commands.push(as_written);
                }
                Err(error) => self.no_recipient(&error),
            }
            self.limit_recipients();
        }
    }

    /// Returns whether an address is a bare name that a received message has.
    fn is_received(&self, address: &NamedAddress) -> bool {
        self.received_names.contains(address.address().as_str())
    }

    /// Stops a message with too many recipients: those after the limit would get nothing.
    fn limit_recipients(&mut self) {
        let Composed {
            draft,
            bad_recipients,
            ..
        } = &self.composed;
        let addresses = draft.to.len() + draft.cc.len() + draft.bcc.len();
        let others = draft.files.len() + draft.commands.len() + bad_recipients.len();
        if addresses + others > MAX_RECIPIENTS {
            self.too_many_recipients();
        }
    }

    fn too_many_recipients(&mut self) {
        if !std::mem::replace(&mut self.composed.is_too_many, true) {
            let what = format!("the message has more than {MAX_RECIPIENTS} recipients");
            let failure = Failure::new(Kind::Data, what).hint("send it in several messages");
            self.composed.failures.push(failure);
        }
    }

    /// Adds an entry of a list that is not a valid recipient.
    fn no_recipient(&mut self, error: &AddressError) {
        if is_rest(error) {
            self.too_many_recipients()
        } else {
            self.bad_recipient(&error.text, error.reason);
            if let Some(bad) = self.composed.bad_recipients.last_mut() {
                bad.failure.hint = readings(error);
            }
        }
    }

    /// Adds the recipients that every message has (`autocc`, `autobcc`), if it has others.
    pub(super) fn automatic_copies(&mut self) {
        let settings = self.settings;
        for (name, field) in [
            ("autocc", RecipientField::Cc),
            ("autobcc", RecipientField::Bcc),
        ] {
            // The bytes and not the text: `recipients` finds out the charset of each list.
            if let Some(list) = settings.path(name)
                && self.composed.draft.recipients().next().is_some()
            {
                self.recipients(list.as_bytes(), field);
            }
        }
    }

    fn alias(&mut self, address: &NamedAddress, field: RecipientField) {
        let name = address.address().as_str();
        let settings = self.settings;
        let expansion = expand(name, settings);
        for member in expansion.members {
            // A member may be a list itself: `alias team "Ada <ada@x>, bob@y"`. Files and
            // commands are not taken from it, even with `expandaddr`: they would run where a
            // person sees a name.
            for entry in parse_people(member, &|name| self.names.ask(name)) {
                match entry {
                    Ok(address) => self.recipient(address, field),
                    Err(error) => self.no_recipient(&error),
                }
            }
            self.limit_recipients();
            if self.composed.is_too_many {
                return;
            }
        }
        for member in expansion.ignored {
            self.bad_recipient(member, "an alias cannot contain a command or a file");
        }
    }

    fn recipient(&mut self, address: NamedAddress, field: RecipientField) {
        let address = match self.with_sound_local_name(address) {
            Ok(address) => address,
            Err(error) => return self.no_recipient(&error),
        };
        if address.is_repaired() {
            let shown = sanitize::line(address.address().as_str().as_bytes()).into_owned();
            let text =
                format!("control characters in the name of {shown} were replaced by a blank");
            self.composed.warnings.push(text.into());
        }
        let draft = &mut self.composed.draft;
        match field {
            RecipientField::To => draft.to.push(address),
            RecipientField::Cc => draft.cc.push(address),
            RecipientField::Bcc => draft.bcc.push(address),
        }
    }

    fn bad_recipient(&mut self, text: &str, reason: &'static str) {
        // What is shown of it is at most four times as long.
        let start: String = text.chars().take(200).collect();
        let shown = sanitize::line(start.as_bytes());
        let shown: String = shown.chars().take(200).collect();
        let what = format!("\"{shown}\" is not a valid recipient");
        self.composed.bad_recipients.push(BadRecipient {
            failure: Failure::new(Kind::Data, what).because(reason),
            text: shown,
        });
    }

    /// A mail needs someone to go to: with only bad recipients there is nothing to send.
    pub(super) fn check_recipients(&mut self) {
        let draft = &self.composed.draft;
        let has_others = !draft.files.is_empty() || !draft.commands.is_empty();
        if draft.recipients().next().is_none() && !has_others {
            // With a good recipient a bad one is only reported, and the mail goes. Without any
            // the bad ones are why nothing goes.
            self.composed.has_nobody = true;
            if self.composed.bad_recipients.is_empty() {
                let failure = Failure::new(Kind::Usage, "there is no recipient");
                self.composed.failures.push(failure);
            }
        }
    }
}

/// Returns whether an address is a name of an alias in the mailrc.
fn is_alias(address: &NamedAddress, settings: &Settings) -> bool {
    // `Ada <ada>` names a person and an account; only a bare word may stand for a group.
    address.name().is_none() && settings.aliases.contains_key(address.address().as_str())
}

/// Expands an alias of the mailrc.
fn expand<'a>(name: &'a str, settings: &'a Settings) -> alias::Expansion<'a> {
    let mut expansion = alias::expand(name, |name| settings.aliases.get(name));
    if !settings.is_set("metoo") {
        leave_me_out(&mut expansion.members, settings);
    }
    expansion
}

/// Removes the user's own names (`alternates` included) from a group, unless it would then be empty.
fn leave_me_out(members: &mut Vec<&str>, settings: &Settings) {
    let login = user::login_name();
    let mine = settings.alternates.iter().chain([&login]);
    let mine: HashSet<String> = mine.map(|name| name.to_ascii_lowercase()).collect();
    // Mail systems ignore the case of account names in practice, so it is ignored here.
    let is_me = |member: &&str| mine.contains(&member.to_ascii_lowercase());
    if members.iter().any(|member| !is_me(member)) {
        members.retain(|member| !is_me(member));
    }
}

/// Returns the people that an alias of the mailrc stands for, as a header field shows them; `None` if
/// the address is not such a name.
pub(crate) fn mailrc_members(
    address: &NamedAddress,
    settings: &Settings,
    names: &KnownNames<'_>,
) -> Option<Vec<NamedAddress>> {
    if !is_alias(address, settings) {
        return None;
    }
    let members = expand(address.address().as_str(), settings).members;
    // A member that is no address was told when the recipients were found.
    let people = members
        .into_iter()
        .flat_map(|member| parse_people(member, &|name| names.ask(name)));
    Some(people.flatten().collect())
}
