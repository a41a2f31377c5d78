//! What large providers answer, and the next step for the user.
//!
//! The replies of AWS SES, Exchange Online, Google and SendGrid say what is wrong in the terms of
//! their own consoles. This table gives the setting of ours, or the switch of theirs, that mends it.
//! It decides nothing: what a reply means for the message is in `verdict`.

use super::reply::Reply;

/// A reply of a provider.
struct Row {
    /// Its codes; none means any.
    codes: &'static [u16],
    /// Words that it contains, all of them, in lower case.
    words: &'static [&'static str],
    /// The next step.
    hint: &'static str,
}

const OAUTH: &str = "this provider no longer accepts passwords: set smtp-auth=xoauth2 with a token, from oauth=microsoft:TENANT or from password-command=";
const SEND_AS: &str = "the login may not send as this sender: set from= to the address of the mailbox that logs in, or let an administrator give it the right to send as this address";
const APP_PASSWORD: &str = "Google accepts an app password only, not the password of the account: create one at https://myaccount.google.com/apppasswords (this needs 2-step verification) and put it into password-file=";
const CONNECTIONS: &str = "the relay limits how many connections may be open at once: send over fewer connections, or more slowly";

/// The table; the first row that fits counts.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Exchange Online.
    Row { codes: &[550], words: &["5.7.30", "basic auth"], hint: OAUTH },
    Row { codes: &[535], words: &["5.7.139", "basic authentication is disabled"], hint: OAUTH },
    Row {
        codes: &[535],
        words: &["5.7.139", "smtpclientauthentication is disabled"],
        hint: "SMTP logins are switched off for this mailbox or for the whole tenant: an administrator of Exchange can allow them with Set-CASMailbox USER -SmtpClientAuthenticationDisabled $false",
    },
    Row {
        codes: &[535],
        words: &["5.7.139", "security defaults"],
        hint: "the security defaults of the tenant forbid logins with a password: set smtp-auth=xoauth2 with a token, from oauth=microsoft:TENANT or from password-command=",
    },
    Row {
        codes: &[535],
        words: &["5.7.139"],
        hint: "Exchange refused this login: check the login name and the password or token, and the rules for sign-in (Conditional Access) of the tenant",
    },
    Row { codes: &[], words: &["5.2.252"], hint: SEND_AS },
    Row { codes: &[], words: &["sendasdenied"], hint: SEND_AS },
    Row { codes: &[], words: &["5.7.60", "send as this sender"], hint: SEND_AS },
    Row {
        codes: &[],
        words: &["submissionquotaexceeded"],
        hint: "the mailbox has reached the limit of recipients of a day: it may send again within 24 hours",
    },
    Row { codes: &[432], words: &["thread limit"], hint: CONNECTIONS },
    // Google.
    Row { codes: &[534, 535], words: &["5.7.9"], hint: APP_PASSWORD },
    Row { codes: &[535], words: &["5.7.8", "username and password not accepted"], hint: APP_PASSWORD },
    Row {
        codes: &[534],
        words: &["5.7.14"],
        hint: "Google wants a login by a web browser first: log in there once, then use an app password in password-file=",
    },
    Row {
        codes: &[454],
        words: &["too many login attempts"],
        hint: "Google limits how often one may log in: send several messages over one connection, and wait before the next try",
    },
    Row {
        codes: &[],
        words: &["invalid credentials for relay"],
        hint: "the relay knows this host neither by its address nor by its name in EHLO: set smtp-hostname= to a name in your own domain and from= to an address in it, or add the address of this host to the SMTP relay service in the admin console",
    },
    Row {
        codes: &[421],
        words: &["try again later, closing connection", "ehlo"],
        hint: "Google refuses the name that EHLO sends: set smtp-hostname= to a name in your own domain",
    },
    Row {
        codes: &[],
        words: &["5.4.5", "limit exceeded"],
        hint: "the account has reached its limit of messages of a day: it may send again within 24 hours",
    },
    // AWS SES.
    Row {
        codes: &[554],
        words: &["email address is not verified"],
        hint: "SES accepts mail only from identities that are verified in this region (in the sandbox, also only to such): set from= to one, or verify the address or its domain in the console of SES",
    },
    Row {
        codes: &[554],
        words: &["ses:sendrawemail"],
        hint: "the IAM user of this login lacks the permission ses:SendRawEmail for this identity",
    },
    Row {
        codes: &[535],
        words: &["authentication credentials invalid"],
        hint: "SES wants the SMTP password of this region, which is not the secret access key: derive it with postrider ses-password REGION",
    },
    Row {
        codes: &[454],
        words: &["maximum sending rate exceeded"],
        hint: "SES limits how many messages may be sent in a second: send more slowly",
    },
    Row {
        codes: &[454],
        words: &["daily message quota exceeded"],
        hint: "the daily quota of SES is used up: it accepts mail again within 24 hours",
    },
    // SendGrid.
    Row {
        codes: &[550],
        words: &["verified sender identity"],
        hint: "set from= to a sender that is verified at SendGrid",
    },
    Row {
        codes: &[451],
        words: &["maximum credits exceeded"],
        hint: "the account has used up its messages: SendGrid accepts mail again with the next period or a larger plan",
    },
    Row {
        codes: &[535],
        words: &["bad username / password"],
        hint: "SendGrid wants the login name apikey, and the API key as the password",
    },
    // Of no one provider.
    Row {
        codes: &[530],
        words: &["starttls"],
        hint: "the relay wants TLS before anything else: write submission://HOST, and remove tls=no",
    },
    Row { codes: &[421], words: &["too many", "connections"], hint: CONNECTIONS },
];

/// Returns the next step after a negative reply, if it is one that providers are known for.
pub(super) fn hint(reply: &Reply) -> Option<&'static str> {
    let text = reply.text().to_ascii_lowercase();
    let fits = |row: &&Row| {
        (row.codes.is_empty() || row.codes.contains(&reply.code))
            && row.words.iter().all(|word| text.contains(word))
    };
    ROWS.iter().find(fits).map(|row| row.hint)
}

#[cfg(test)]
mod tests {
    use super::super::reply::Capabilities;
    use super::*;

    fn reply(text: &str) -> Reply {
        let mut lines = text.lines().map(|line| line.split_at(3));
        let code = lines.clone().next().expect("a line").0;
        Reply {
            code: code.parse().expect("a code"),
            lines: lines
                .by_ref()
                .map(|(_, text)| text[1..].to_owned())
                .collect(),
            offers: Capabilities::default(),
        }
    }

    /// Replies as the providers give them, each with a word of the hint that it gets.
    const REPLIES: &[(&str, &str)] = &[
        (
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            "oauth=",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]",
            "oauth=",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.",
            "Set-CASMailbox",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information.",
            "Set-CASMailbox",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.",
            "security defaults",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "Exchange refused this login",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
            "Conditional Access",
        ),
        (
            "554 5.2.252 SendAsDenied; alerts@contoso.com not allowed to send as root@db1; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception",
            "from=",
        ),
        (
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "from=",
        ),
        (
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message Cannot submit message.",
            "24 hours",
        ),
        (
            "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded; [Hostname=AM0PR01MB0001.eurprd01.prod.exchangelabs.com]",
            "connections",
        ),
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-abc - gsmtp",
            "app password",
        ),
        (
            "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a640c23a62f3a-abc - gsmtp",
            "app password",
        ),
        (
            "534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgn> Please log in via your web browser and then try again.\n534 5.7.14 Learn more at https://support.google.com/mail/answer/78754 - gsmtp",
            "web browser",
        ),
        (
            "454 4.7.0 Too many login attempts, please try again later. a640c23a62f3a-abc - gsmtp",
            "one connection",
        ),
        (
            "550-5.7.1 Invalid credentials for relay [203.0.113.7]. The IP address you've\n550-5.7.1 registered in your Workspace SMTP Relay service doesn't match the domain of\n550-5.7.1 the account this email is being sent from. If you are trying to relay mail\n550 5.7.1 from a domain that isn't registered under your Workspace account - gsmtp",
            "smtp-hostname=",
        ),
        (
            "421 4.7.0 Try again later, closing connection. (EHLO) a640c23a62f3a-abc - gsmtp",
            "smtp-hostname=",
        ),
        (
            "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to https://support.google.com/a/answer/166852 - gsmtp",
            "24 hours",
        ),
        (
            "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: root@vm",
            "from=",
        ),
        (
            "554 Access denied: User `arn:aws:iam::123456789012:user/ses-smtp-user' is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:123456789012:identity/example.org'",
            "ses:SendRawEmail",
        ),
        (
            "535 Authentication Credentials Invalid",
            "ses-password REGION",
        ),
        (
            "454 Throttling failure: Maximum sending rate exceeded.",
            "more slowly",
        ),
        (
            "454 Throttling failure: Daily message quota exceeded.",
            "24 hours",
        ),
        (
            "421 Too many concurrent SMTP connections; please try again later.",
            "connections",
        ),
        (
            "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements",
            "from=",
        ),
        (
            "451 Authentication failed: Maximum credits exceeded",
            "larger plan",
        ),
        (
            "535 Authentication failed: Bad username / password",
            "apikey",
        ),
        (
            "530 5.7.0 Must issue a STARTTLS command first",
            "submission://",
        ),
    ];

    #[test]
    fn the_replies_of_providers_have_a_next_step() {
        for (text, word) in REPLIES {
            let hint = hint(&reply(text)).unwrap_or_else(|| panic!("no hint: {text}"));
            assert!(hint.contains(word), "{text}\n{hint}");
        }
        for row in ROWS {
            let used = REPLIES
                .iter()
                .any(|(text, _)| hint(&reply(text)) == Some(row.hint));
            assert!(used, "no reply has this hint: {}", row.hint);
        }
    }

    #[test]
    fn the_replies_of_other_relays_have_none() {
        for text in [
            "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown",
            "554 5.7.1 Service unavailable; Client host [203.0.113.7] blocked",
            "552 5.3.4 Message size exceeds fixed limit",
            "450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.org.html",
            "535 5.7.8 Error: authentication failed: bad user or password",
            "451 4.3.0 queue file write error",
            "421 4.3.2 closing down",
        ] {
            assert_eq!(hint(&reply(text)), None, "{text}");
        }
    }
}
