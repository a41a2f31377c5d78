//! lettre as a judge: its SMTP client speaks to `sendmail -bs`, and the reader shows messages of
//! its builder. Neither knows our code, nor we theirs.

use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, MultiPart, SinglePart};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Mail, Noop, Rcpt, Rset, Vrfy};
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::response::Severity;
use lettre::{Address, Message, SmtpTransport, Transport};

use crate::case::Case;
use crate::letters::Letter;
use crate::sendmail::FakeSendmail;

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

/// Returns `sendmail -bs` over this sendmail.
fn dialogue(sendmail: FakeSendmail) -> Case {
    Case::new()
        .called("sendmail")
        .args(["-bs"])
        .sendmail(sendmail)
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn envelope(to: &[&str]) -> Envelope {
    let to = to.iter().map(|to| address(to)).collect();
    Envelope::new(Some(address("app@example.org")), to).unwrap()
}

fn connect(port: u16) -> SmtpConnection {
    let name = ClientId::Domain("client.example.org".to_owned());
    SmtpConnection::connect(("127.0.0.1", port), PATIENCE, &name, None, None).unwrap()
}

/// Returns a message with all that its builder has to encode.
fn rich() -> Message {
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body("Grüße aus Köln =\n.\n..zwei\nFrom hier\n".to_owned());
    let html = SinglePart::html("<p>Grüße aus <b>Köln</b></p>".to_owned());
    let report = Attachment::new("Überblick „Q3“.csv".to_owned()).body(
        b"a;b\n1;2\n".to_vec(),
        ContentType::parse("text/csv").unwrap(),
    );
    Message::builder()
        .from("Jürgen Müller <app@example.org>".parse().unwrap())
        .to("\"Doe, Jane\" <jane@example.org>".parse().unwrap())
        .cc("ops@example.org".parse().unwrap())
        .subject("Überblick über alle Rechnungen des dritten Quartals, nochmals geprüft")
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_819_600))
        .message_id(Some("<judge@example.org>".to_owned()))
        .multipart(
            MultiPart::mixed()
                .multipart(MultiPart::alternative().singlepart(text).singlepart(html))
                .singlepart(report),
        )
        .unwrap()
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec())
        .unwrap()
        .replace("\r\n", "\n")
        .into_bytes()
}

#[test]
fn a_message_of_lettre_passes_sendmail_bs_unchanged() {
    let message = rich();
    let ran = dialogue(FakeSendmail::accepting()).served(|port| {
        let transport = SmtpTransport::builder_dangerous("127.0.0.1")
            .port(port)
            .timeout(PATIENCE)
            .build();
        let response = transport.send(&message).unwrap();
        assert!(response.is_positive(), "{response:?}");
    });
    let call = ran.call();
    assert_eq!(call.options(), ["-i", "-f", "app@example.org"]);
    assert_eq!(call.recipients(), ["jane@example.org", "ops@example.org"]);
    let sent = Letter::new(&without_cr(&message.formatted()));
    let got = call.letter();
    // lettre's client ends every message with a CRLF of its own before the dot.
    assert_eq!(got.raw_body(), [sent.raw_body(), b"\n"].concat());
    for name in [
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
    ] {
        assert_eq!(got.fields(name), sent.fields(name), "{name}");
    }
}

#[test]
fn one_connection_carries_several_messages_and_refusals_between_them() {
    let ran = dialogue(FakeSendmail::accepting()).served(|port| {
        let mut connection = connect(port);
        let info = connection.server_info();
        assert!(info.supports_feature(Extension::EightBitMime));
        assert!(!info.supports_feature(Extension::SmtpUtfEight));
        assert!(!info.supports_feature(Extension::StartTls));

        let first = b"Subject: one\r\n\r\n.\r\n..\r\nK\xc3\xb6ln";
        assert!(
            connection
                .send(&envelope(&["a@example.org"]), first)
                .unwrap()
                .is_positive()
        );

        // A bad recipient is refused by its own reply, and the transaction goes on.
        let mail = connection.command(Mail::new(Some(address("app@example.org")), Vec::new()));
        assert!(mail.unwrap().is_positive());
        let bad = Rcpt::new(Address::new_dangerous("b@c", "example.org"), Vec::new());
        let error = connection.command(bad).unwrap_err();
        assert!(error.is_permanent(), "{error}");
        let good = Rcpt::new(address("b@example.org"), Vec::new());
        assert!(connection.command(good).unwrap().is_positive());
        for command in [Noop.to_string(), Vrfy::new("root".to_owned()).to_string()] {
            assert!(
                connection.command(&command).unwrap().is_positive(),
                "{command}"
            );
        }
        // Nobody gets the message that was begun.
        assert!(connection.command(Rset).unwrap().is_positive());

        let null = Envelope::new(None, vec![address("c@example.org")]).unwrap();
        assert!(
            connection
                .send(&null, b"Subject: two\r\n\r\nx")
                .unwrap()
                .is_positive()
        );
        connection.quit().unwrap();
    });
    let calls = ran.calls();
    let recipients: Vec<_> = calls.iter().map(|call| call.recipients()).collect();
    assert_eq!(recipients, [["a@example.org"], ["c@example.org"]]);
    let first = calls[0].letter();
    assert_eq!(first.subject(), "one");
    assert_eq!(first.body(), ".\n..\nKöln\n".as_bytes());
    assert_eq!(calls[1].letter().subject(), "two");
    assert_eq!(calls[1].options(), ["-i", "-f", "<>"]);
}

#[test]
fn what_became_of_a_message_is_in_the_class_of_the_reply() {
    for (status, severity) in [
        (75, Severity::TransientNegativeCompletion),
        (67, Severity::PermanentNegativeCompletion),
    ] {
        dialogue(FakeSendmail::exiting(status))
            .any_status()
            .any_stderr()
            .served(|port| {
                let mut connection = connect(port);
                let message = b"Subject: t\r\n\r\nx";
                let result = connection.send(&envelope(&["a@example.org"]), message);
                let error = result.unwrap_err();
                assert_eq!(
                    error.status().map(|code| code.severity),
                    Some(severity),
                    "{error}"
                );
            });
    }
}

#[test]
fn a_client_that_goes_away_in_the_middle_sends_nothing() {
    let ran = dialogue(FakeSendmail::accepting())
        .any_status()
        .any_stderr()
        .may_change("home/dead.letter")
        .served(|port| drop(TcpStream::connect(("127.0.0.1", port)).unwrap()));
    ran.nothing_sent();
}

#[test]
fn the_reader_shows_a_message_of_lettres_builder() {
    let mut mbox = b"From app@example.org Mon Nov 16 09:00:00 2026\n".to_vec();
    mbox.extend(without_cr(&rich().formatted()));
    mbox.push(b'\n');
    let read = |args: &[&str]| {
        Case::new()
            .called("postrider")
            .args(args)
            .args(["--file", "[DIR]/cwd/box"])
            .file("cwd/box", &mbox)
            .any_stdout()
            .run()
            .stdout()
    };
    let list = read(&["list", "--json"]);
    for part in [
        "Überblick über alle Rechnungen des dritten Quartals, nochmals geprüft",
        "Jürgen Müller",
    ] {
        assert!(list.contains(part), "{part} is not in {list}");
    }
    let shown = read(&["show", "1"]);
    for part in [
        "Subject: Überblick über alle Rechnungen des dritten Quartals, nochmals geprüft\n",
        "Jürgen Müller <app@example.org>\n",
        "\"Doe, Jane\" <jane@example.org>\n",
        "Grüße aus Köln =\n.\n..zwei\nFrom hier\n",
        "Überblick „Q3“.csv",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains("=?utf-8?"), "{shown}");
}
