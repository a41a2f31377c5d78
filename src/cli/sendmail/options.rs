//! The options of the sendmail face: those of Sendmail and Postfix (sendmail(1)).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::cli::usage;
use crate::exit::Failure;

/// The arguments of a sendmail command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SendmailArguments {
    /// The mode.
    pub mode: SendmailMode,
    /// Take recipients from the header, too (`-t`).
    pub recipients_from_header: bool,
    /// A line of one dot does not end the message (`-i`, `-oi`).
    pub ignore_dots: bool,
    /// The envelope sender (`-f`, `-r`).
    pub sender: Option<OsString>,
    /// The sender's full name (`-F`).
    pub full_name: Option<OsString>,
    /// Show the dialogue (`-v`).
    pub verbose: bool,
    /// Sendmail's debugging level that prints its version (`-d0.1`).
    pub shows_version: bool,
    /// Which part of the queue is run.
    pub run: QueueRun,
    /// The recipients.
    pub recipients: Vec<OsString>,
}

/// Which part of the queue `-q` runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum QueueRun {
    /// All of it, now.
    #[default]
    All,
    /// What is due, as a timer has it run (`-q15m`).
    Due,
    /// The messages whose ID contains this text (`-qI`).
    Id(String),
    /// The messages of which a recipient contains this text (`-qR`).
    Recipient(String),
    /// The messages whose sender contains this text (`-qS`).
    Sender(String),
}

/// The mode of a sendmail command line (`-b`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SendmailMode {
    /// Deliver a message from standard input (`-bm`).
    #[default]
    Deliver,
    /// Speak SMTP on standard input and output (`-bs`).
    Dialogue,
    /// Print the queue (`-bp`, `mailq`).
    PrintQueue,
    /// Rebuild the aliases (`-bi`, `newaliases`): there is nothing to rebuild.
    NewAliases,
    /// Run the queue once (`-q`), all of it or what [`SendmailArguments::run`] names.
    RunQueue,
    /// Say how mail to each address would go (`-bv`).
    Verify,
    /// Sendmail's test mode (`-bt`), which scripts start for the version that it prints.
    Test,
}

/// Reads a sendmail command line, without the program's name.
///
/// # Errors
/// Refuses what an MTA would have to do (`-bd`, `-qTIME`) and options that are unknown.
pub(super) fn parse(arguments: &[OsString]) -> Result<SendmailArguments, Failure> {
    let mut parsed = SendmailArguments::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        // Callers that pass on addresses of others write `--`, so that none of them is taken for an
        // option.
        if bytes == b"--" {
            parsed.recipients.extend(words.cloned());
            break;
        }
        match bytes {
            [b'-', letters @ ..] if !letters.is_empty() => {
                option(&mut parsed, letters, &mut words)?;
            }
            _ => parsed.recipients.push(word.clone()),
        }
    }
    Ok(parsed)
}

/// Reads one word of options: flags may be combined.
fn option<'a>(
    parsed: &mut SendmailArguments,
    letters: &[u8],
    words: &mut impl Iterator<Item = &'a OsString>,
) -> Result<(), Failure> {
    let mut rest = letters;
    while let Some((&letter, tail)) = rest.split_first() {
        let mut value = || -> Result<OsString, Failure> {
            if !tail.is_empty() {
                return Ok(OsString::from_vec(tail.to_vec()));
            }
            let missing = || usage(format!("option -{} needs a value", letter as char));
            words.next().cloned().ok_or_else(missing)
        };
        match letter {
            b't' => parsed.recipients_from_header = true,
            b'i' => parsed.ignore_dots = true,
            b'v' => parsed.verbose = true,
            // Accepted without effect: no aliasing, "me too", initial submission, gateway.
            b'n' | b'm' | b'U' | b'G' => {}
            // -r is the old name of -f (sendmail(8)).
            b'f' | b'r' => {
                parsed.sender = Some(value()?);
                return Ok(());
            }
            b'F' => {
                parsed.full_name = Some(value()?);
                return Ok(());
            }
            // `-d0.1`, and `-d` for it: the category 0 is the version.
            b'd' => {
                parsed.shows_version |= tail.is_empty() || tail.starts_with(b"0");
                return Ok(());
            }
            // Accepted without effect: body type, DSN, submission tags, configuration, logging.
            b'B' | b'N' | b'R' | b'V' | b'L' | b'h' | b'A' | b'C' | b'X' | b'O' | b'p' => {
                // Sendmail's -Ac and -Am hold their value in the same word.
                if letter != b'A' {
                    value()?;
                }
                return Ok(());
            }
            b'o' => {
                option_word(parsed, &value()?);
                return Ok(());
            }
            b'b' => {
                parsed.mode = mode(&value()?)?;
                return Ok(());
            }
            b'q' => {
                parsed.run = queue_run(tail)?;
                parsed.mode = SendmailMode::RunQueue;
                return Ok(());
            }
            _ => {
                let letters = String::from_utf8_lossy(rest);
                return Err(usage(format!("unknown option -{letters}")));
            }
        }
        rest = tail;
    }
    Ok(())
}

/// Takes the word of `-o`: `-oi` is `-i`; `-oem`, `-odi` and the others say how an MTA would work.
fn option_word(parsed: &mut SendmailArguments, word: &OsStr) {
    if word.as_bytes() == b"i" {
        parsed.ignore_dots = true;
    }
}

fn mode(word: &OsStr) -> Result<SendmailMode, Failure> {
    match word.as_bytes() {
        b"m" => Ok(SendmailMode::Deliver),
        b"s" => Ok(SendmailMode::Dialogue),
        b"p" => Ok(SendmailMode::PrintQueue),
        b"i" => Ok(SendmailMode::NewAliases),
        b"v" => Ok(SendmailMode::Verify),
        b"t" => Ok(SendmailMode::Test),
        other => Err(no_mta(&format!("-b{}", String::from_utf8_lossy(other)))),
    }
}

/// Reads what stands behind `-q`.
fn queue_run(word: &[u8]) -> Result<QueueRun, Failure> {
    let text = |rest: &[u8]| String::from_utf8_lossy(rest).into_owned();
    match word {
        // In the foreground, or of one of Sendmail's groups: there is only one.
        [] | [b'f'] | [b'G', ..] => Ok(QueueRun::All),
        [b'I', rest @ ..] if !rest.is_empty() => Ok(QueueRun::Id(text(rest))),
        [b'R', rest @ ..] if !rest.is_empty() => Ok(QueueRun::Recipient(text(rest))),
        [b'S', rest @ ..] if !rest.is_empty() => Ok(QueueRun::Sender(text(rest))),
        // A time: Sendmail would stay and run the queue again and again. A timer does that here.
        [b'0'..=b'9', rest @ ..]
            if rest
                .iter()
                .all(|byte| byte.is_ascii_digit() || b"smhdw".contains(byte)) =>
        {
            Ok(QueueRun::Due)
        }
        _ => Err(no_mta(&format!("-q{}", text(word)))),
    }
}

fn no_mta(option: &str) -> Failure {
    usage(format!(
        "{option} is for an MTA, and Postrider is not an MTA"
    ))
    .hint("Postrider has no daemon; postrider outbox flush sends what waits, each minute from a timer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> SendmailArguments {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&words).unwrap()
    }

    #[test]
    fn the_lines_of_real_callers_are_read() {
        let cron = parsed("-FCronDaemon -i -odi -oem -oi -t -f root");
        assert!(cron.recipients_from_header && cron.ignore_dots);
        assert_eq!(cron.full_name.as_deref(), Some(OsStr::new("CronDaemon")));
        assert_eq!(cron.sender.as_deref(), Some(OsStr::new("root")));
        assert_eq!(cron.recipients, [] as [&str; 0]);
        let debian_cron = parsed("-i -FCronDaemon -B8BITMIME -oem root");
        assert_eq!(debian_cron.recipients, ["root"]);
        let php = parsed("-t -i");
        assert!(php.recipients_from_header);
        let git = parsed("-i -f a@x -- b@x -c@x");
        assert_eq!(git.recipients, ["b@x", "-c@x"]);
        let own = parsed("-i -f <> -- b@x");
        assert_eq!(own.sender.as_deref(), Some(OsStr::new("<>")));
        assert_eq!(parsed("-bp").mode, SendmailMode::PrintQueue);
        assert_eq!(parsed("-q").mode, SendmailMode::RunQueue);
        let sniffer = parsed("-d0.1 -bt");
        assert!(sniffer.shows_version && sniffer.mode == SendmailMode::Test);
        let verify = parsed("-d8.1 -bv root a@x");
        assert!(!verify.shows_version && verify.mode == SendmailMode::Verify);
        assert_eq!(verify.recipients, ["root", "a@x"]);
    }

    #[test]
    fn a_run_of_the_queue_may_be_of_a_part() {
        for (line, run) in [
            ("-q", QueueRun::All),
            ("-qf", QueueRun::All),
            ("-qGlocal", QueueRun::All),
            ("-v -q", QueueRun::All),
            ("-q15m", QueueRun::Due),
            ("-q1h30m", QueueRun::Due),
            ("-qI1a2b", QueueRun::Id("1a2b".to_owned())),
            (
                "-qRexample.org",
                QueueRun::Recipient("example.org".to_owned()),
            ),
            ("-qSalice", QueueRun::Sender("alice".to_owned())),
        ] {
            let parsed = parsed(line);
            assert_eq!(
                (parsed.mode, parsed.run),
                (SendmailMode::RunQueue, run),
                "{line}"
            );
        }
    }

    #[test]
    fn what_an_mta_does_is_refused() {
        for line in [
            "-bd", "-bD", "-qp", "-qp30m", "-q!I1", "-qI", "-qx", "-bz", "-Z",
        ] {
            assert!(parse(&[OsString::from(line)]).is_err(), "{line}");
        }
        assert!(parse(&[OsString::from("-f")]).is_err());
    }
}
