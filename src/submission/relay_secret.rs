//! To which relay a secret may be shown: only to the host that it was set for.
//!
//! A password in the URL of a relay and one in netrc name their host. For the others, the settings
//! know beside which relay they were set.

use super::relay_list::RelayList;
use crate::config::Settings;
use crate::exit::{Failure, Kind};
use crate::submission::relay_url::RelayUrl;

/// The variables of passwords, the one that counts first before the others.
pub(super) const PASSWORDS: [&str; 3] = ["password-file", "password-command", "password"];

/// The variables that ask for a token.
pub(super) const TOKENS: [&str; 2] = ["oauth", "oauth-token-url"];

/// Returns whether the secret of this variable was set for this relay, or for no other one.
pub(super) fn is_for(name: &str, url: &RelayUrl, settings: &Settings) -> bool {
    // What cannot be read as a relay is another one: better no password than one too many.
    settings.relay_of_secret(name).is_none_or(|text| {
        RelayList::parse(text).is_ok_and(|list| list.iter().any(|own| is_same_host(own, url)))
    })
}

/// Returns whether the tokens were set for this relay, or for no other one.
pub(super) fn are_tokens_for(url: &RelayUrl, settings: &Settings) -> bool {
    TOKENS.iter().all(|name| is_for(name, url, settings))
}

/// Returns whether two relays are one host.
pub(super) fn is_same_host(one: &RelayUrl, other: &RelayUrl) -> bool {
    let [one, other] = [one, other].map(|url| url.host.trim_end_matches('.'));
    one.eq_ignore_ascii_case(other)
}

/// Returns the failure where the only secret is one for another relay.
pub(super) fn of_another(url: &RelayUrl, settings: &Settings) -> Option<Failure> {
    let mut names = PASSWORDS.into_iter().chain(TOKENS);
    let name = names.find(|name| settings.is_set(name) && !is_for(name, url, settings))?;
    let owner = settings
        .relay_of_secret(name)
        .and_then(|text| RelayList::parse(text).ok());
    let owner = owner.map_or("another relay".to_owned(), |list| {
        let hosts: Vec<&str> = list.iter().map(|url| url.host.as_str()).collect();
        hosts.join(" and ")
    });
    let host = &url.host;
    let what = format!("{name} is for {owner}, and is not used for {host}");
    let what = settings.origin(name).says(&what);
    Some(Failure::new(Kind::Config, what).hint(format!(
        "set {name} again beside the mta= of {host}, put its login into ~/.netrc (machine {host}), or set smtp-auth=none if it wants no login"
    )))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Origin;

    /// Returns which of two hosts get the password after these settings: `F1`, `F2` are files, `O`
    /// is the command line, and `[`, `]` are the ends of an account's use.
    fn who(steps: &[(&str, &str)]) -> String {
        let mut settings = Settings::default();
        for (place, setting) in steps {
            match *place {
                "[" => settings.enter_account(),
                "]" => settings.end_of_account(),
                place => {
                    let origin = match place {
                        "O" => Origin::Option("-S".to_owned()),
                        file => Origin::File {
                            path: Path::new(file).to_owned(),
                            line: 1,
                        },
                    };
                    let (name, value) = setting.split_once('=').expect("NAME=VALUE");
                    settings.set(name, value, origin);
                }
            }
        }
        let mut hosts = String::new();
        for host in ["a", "b"] {
            let url = RelayUrl::parse(host).expect("a host");
            if is_for("password", &url, &settings) {
                hosts += host;
            }
        }
        hosts
    }

    #[test]
    fn a_password_belongs_to_the_relay_beside_which_it_was_set() {
        const A: &str = "mta=smtp://a";
        const B: &str = "mta=smtp://b";
        const P: &str = "password=s3cret";
        let table: &[(&[(&str, &str)], &str)] = &[
            (&[("F1", P)], "ab"),
            (&[("F1", A), ("F1", P)], "a"),
            (&[("F1", P), ("F1", A)], "a"),
            (&[("F1", "smtp=a"), ("F1", P)], "a"),
            (&[("F1", P), ("F1", "smtp=A.")], "a"),
            (&[("F1", "mta=smtp://a,smtps://b"), ("F1", P)], "ab"),
            // The command line names another relay, or another password, or both.
            (&[("F1", A), ("F1", P), ("O", B)], "a"),
            (&[("F1", P), ("F1", A), ("O", "smtp=b")], "a"),
            (&[("F1", A), ("F1", P), ("O", B), ("O", P)], "b"),
            (&[("F1", A), ("F1", P), ("O", P), ("O", B)], "b"),
            (&[("F1", A), ("F1", P), ("O", P)], "a"),
            (&[("F1", P), ("O", B)], "b"),
            (&[("F1", P), ("O", B), ("O", A)], "b"),
            // The system's file has the relay, the user's has the password; and the other way.
            (&[("F1", A), ("F2", P)], "a"),
            (&[("F1", A), ("F2", P), ("F2", B)], "b"),
            (&[("F1", A), ("F1", P), ("F2", B)], "a"),
            (&[("F1", "mta=sendmail"), ("F1", P), ("F2", B)], "b"),
            // In one file the last relay outside of accounts counts, as it does for mail.
            (&[("F1", A), ("F1", P), ("F1", B)], "b"),
            // Accounts are places of their own, though their lines are in the same file.
            (
                &[("F1", A), ("F1", P), ("[", ""), ("F1", B), ("]", "")],
                "a",
            ),
            (
                &[
                    ("F1", A),
                    ("F1", P),
                    ("[", ""),
                    ("F1", P),
                    ("F1", B),
                    ("]", ""),
                ],
                "b",
            ),
            (
                &[
                    ("F1", A),
                    ("F1", P),
                    ("[", ""),
                    ("F1", B),
                    ("F1", P),
                    ("]", ""),
                ],
                "b",
            ),
            (&[("F1", A), ("[", ""), ("F1", P), ("]", "")], "a"),
            (&[("F1", P), ("[", ""), ("F1", B), ("]", "")], "b"),
            (
                &[
                    ("F1", A),
                    ("F1", P),
                    ("[", ""),
                    ("F1", B),
                    ("F1", P),
                    ("]", ""),
                    ("[", ""),
                    ("]", ""),
                ],
                "a",
            ),
            // A value that is no relay belongs to none of them.
            (&[("F1", "mta=smtp://a b"), ("F1", P)], ""),
        ];
        for (steps, hosts) in table {
            assert_eq!(who(steps), *hosts, "{steps:?}");
        }
    }
}
