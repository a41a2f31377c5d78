//! The one table from which a command line of `mailx` is read: the letters, names and arity of each
//! option, and the field of [`MailxArguments`] that it sets.
//!
//! clap's definitions in [`options`](super::options) say the same for help, manual and completions.
//! clap cannot be asked when a command line is read: building its definitions takes longer than all
//! the rest of it. A derive cannot read this table, and a macro that wrote the derive's attributes
//! would hide them from the engineer who edits the help. So letters, names and arity stand twice, and the
//! tests here hold the two against each other, option by option.

use std::ffi::OsString;

use super::options::MailxArguments;

/// Makes the text of the table for the dialect, and the `match` that sets the fields.
///
/// A row is `LETTERS NAME OTHER-NAMES ARITY => FIELD: HOW`; `-` stands for no letter, and for no
/// name. The dialect gives an option without a name the name of another one, so that it has no field.
macro_rules! options {
    ($($letters:literal $name:literal $others:literal $arity:ident $(=> $field:ident: $how:ident)?;)*) => {
        /// The options, one a line: letters, names, arity.
        ///
        /// This is one text, because a table of strings is a table of pointers, each of which the
        /// loader has to relocate at every start.
        pub(super) const OPTIONS: &str = concat!(
            $($letters, " ", $name, $others, " ", stringify!($arity), "\n",)*
        );

        impl MailxArguments {
            /// Takes one option by its long name; an optional value that is not there is empty.
            pub(super) fn take(&mut self, name: &str, value: OsString) {
                match name {
                    $($($name => set!($how, self.$field, value),)?)*
                    _ => debug_assert!(false, "{name} is not an option"),
                }
            }
        }
    };
}

/// Sets a field: `last` and `each` take the value, `is_set` and `count` need none.
macro_rules! set {
    (last, $field:expr, $value:ident) => {
        $field = Some($value)
    };
    (each, $field:expr, $value:ident) => {
        $field.push($value)
    };
    (is_set, $field:expr, $value:ident) => {
        $field = true
    };
    (count, $field:expr, $value:ident) => {
        $field = $field.saturating_add(1)
    };
}

options! {
    "s" "subject" "" value => subject: last;
    "c" "cc" "" value => cc: each;
    "b" "bcc" "" value => bcc: each;
    "a" "-" "" value;
    "A" "-" "" value;
    "-" "attach" "" value => attach: each;
    "C" "header" ",append,custom-header" value => header: each;
    "r" "from" ",from-address,return-address" value => from: last;
    "M" "content-type" "" value => content_type: last;
    "-" "full-name" "" value => full_name: last;
    "E" "discard-empty-messages" "" flag => discard_empty: is_set;
    "-" "dry-run" "" flag => dry_run: is_set;
    "-" "json" "" flag => json: is_set;
    "-" "explain" "" flag => explain: is_set;
    "d" "debug" "" flag => debug: is_set;
    "~I" "enable-cmd-escapes" "" flag => enable_cmd_escapes: is_set;
    "t" "template" ",to" flag => template: is_set;
    "q" "quote-file" "" value => quote_file: last;
    "m" "body-file" "" value => body_file: last;
    "T" "target" "" value => target: each;
    "F" "record-by-name" ",byname" flag => record_by_name: is_set;
    "-" "attach-fd" "" value => attach_fd: each;
    "-" "content-name" ",content-filename" value => content_name: each;
    "-" "html" "" value => html: last;
    "-" "pre" "" flag => pre: is_set;
    "-" "plain" "" flag => plain: is_set;
    "-" "strict-size" "" flag => strict_size: is_set;
    "-" "skip-empty-attachments" "" flag => skip_empty_attachments: is_set;
    "-" "encoding" "" value => encoding: last;
    "-" "alternative" "" flag => alternative: is_set;
    "-" "no-mime" "" flag => no_mime: is_set;
    "-" "attachment" "" value => attachment: each;
    "f" "file" "" optional => file: last;
    "u" "user" ",inbox-of" value => user: last;
    "e" "check" ",exist,check-and-exit" flag => check: is_set;
    "H" "headers" ",header-summary" optional => headers: last;
    "L" "search" "" value => search: last;
    "Y" "cmd" "" value => cmd: each;
    "p" "print" ",read" flag => print: is_set;
    "N" "no-summary" ",nosum,no-header-summary" flag => no_summary: is_set;
    "R" "read-only" "" flag => read_only: is_set;
    "-" "account" "" value => account: last;
    "S" "set" "" value => set: each;
    "X" "command" ",exec,startup-cmd" value => command: each;
    "n" "no-system-rc" ",norc" flag => no_system_rc: is_set;
    ":" "resource-files" "" value => resource_files: last;
    "i" "ignore" "" flag => ignore: is_set;
    "v" "verbose" "" flag => verbose: count;
    "V" "version" "" flag => version: is_set;
    "h?" "help" "" flag => help: is_set;
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, CommandFactory, Parser};

    use super::*;

    /// Returns the row that clap's definition of an option asks for.
    fn row_of(argument: &Arg) -> String {
        let mut letters: String = argument.get_short().into_iter().collect();
        letters.extend(argument.get_visible_short_aliases().unwrap_or_default());
        if letters.is_empty() {
            letters.push('-');
        }
        let mut names: Vec<&str> = argument.get_long().into_iter().collect();
        names.extend(argument.get_all_aliases().unwrap_or_default());
        if names.is_empty() {
            names.push("-");
        }
        let arity = match argument.get_action() {
            ArgAction::Set | ArgAction::Append if argument.is_require_equals_set() => "optional",
            ArgAction::Set | ArgAction::Append => "value",
            _ => "flag",
        };
        format!("{letters} {} {arity}", names.join(","))
    }

    #[test]
    fn the_table_has_the_rows_of_claps_definitions() {
        let command = MailxArguments::command();
        let options = command
            .get_arguments()
            .filter(|argument| !argument.is_positional());
        let by_clap: Vec<String> = options.map(row_of).collect();
        let ours: Vec<&str> = OPTIONS.lines().collect();
        assert_eq!(ours, by_clap);
    }

    #[test]
    fn every_option_of_clap_is_taken_as_clap_takes_it() {
        let mut words = Vec::new();
        for argument in MailxArguments::command().get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            match argument.get_action() {
                ArgAction::Set | ArgAction::Append => {
                    words.push(OsString::from(format!("--{long}=one")));
                    words.push(OsString::from(format!("--{long}=two=2")));
                }
                _ => words.push(OsString::from(format!("--{long}"))),
            }
        }
        words.push("--file".into());
        words.extend(["--", "operand", "-x"].map(OsString::from));
        let by_clap = std::iter::once(OsString::from("mailx")).chain(words.clone());
        let by_clap = MailxArguments::try_parse_from(by_clap).unwrap();
        let by_us = MailxArguments::from_normalised(words);
        assert_eq!(by_us, by_clap);
    }
}
