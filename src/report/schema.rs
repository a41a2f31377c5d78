//! The keys of every JSON object that the program prints: the one table of which the manual is made,
//! and that a test holds against what the program prints.
//!
//! Keys are stable: new ones may be added, none is taken away or gets another type.

/// An object that is printed with `--json`, or is part of another one.
#[derive(Debug)]
pub(crate) struct JsonObject {
    /// Its name, here and in the manual.
    pub name: &'static str,
    /// What prints it, and when.
    pub about: &'static str,
    /// Its keys, in the order of the manual.
    pub keys: &'static [JsonKey],
    /// An example of it, one line.
    pub example: &'static str,
}

/// A key of an object.
#[derive(Clone, Copy, Debug)]
pub struct JsonKey {
    /// The key.
    pub name: &'static str,
    /// The type of its value.
    pub shape: Shape,
    /// Whether it is always there.
    pub presence: Presence,
    /// What it says.
    pub about: &'static str,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A string: a time as RFC 3339 has it.
    Time,
    /// A string: bytes that are not UTF-8, in base64.
    Base64,
    /// A whole number, not negative.
    Number,
    /// `true` or `false`.
    Flag,
    /// An array of strings.
    Texts,
    /// An array of whole numbers.
    Numbers,
    /// An array of objects of this name.
    Objects(&'static str),
}

/// Whether a key is there, and has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The key is always there and has a value.
    Always,
    /// The key is always there; its value may be `null`.
    OrNull,
    /// The key is left out where it has nothing to say.
    Sometimes,
}

use Presence::{Always, OrNull, Sometimes};
use Shape::{Base64, Flag, Number, Numbers, Objects, Text, Texts, Time};

const fn key(name: &'static str, shape: Shape, presence: Presence, about: &'static str) -> JsonKey {
    JsonKey {
        name,
        shape,
        presence,
        about,
    }
}

/// The bytes beside a text that is not UTF-8.
const fn raw(name: &'static str) -> JsonKey {
    key(name, Base64, Sometimes, "")
}

/// All objects; one that is part of others comes after them.
pub(crate) const OBJECTS: &[JsonObject] = &[
    JsonObject {
        name: "message",
        about: "`list --json` and `search --json` print one object for each message.",
        keys: MESSAGE,
        example: r#"{"cc":null,"date":"2026-11-16T09:00:00+01:00","date_zone":"+01:00","envelope_from":"alice@example.com","flags":["unread","flagged"],"from":"Alice <alice@example.com>","from_address":"alice@example.com","from_name":"Alice","lines":12,"message_id":"<1@example.com>","number":1,"size":345,"subject":"Disk almost full","to":"root"}"#,
    },
    JsonObject {
        name: "whole message",
        about: "`show --json` prints one object: the keys of a message, and these.",
        keys: WHOLE,
        example: r#"{"cc":null,"date":null,"date_zone":null,"envelope_from":null,"fields":[{"body":"x","name":"Subject"}],"flags":["read"],"from":null,"from_address":null,"from_name":null,"lines":3,"message_id":null,"number":2,"parts":[{"number":"1","type":"text/plain","charset":null,"name":null,"attachment":false,"size":3}],"size":17,"subject":"x","text":"hi\n","to":null,"unknown_charsets":[]}"#,
    },
    JsonObject {
        name: "field",
        about: "A header field of a message.",
        keys: &[
            key(
                "name",
                Text,
                Always,
                "The name of the field, as it is written in the message.",
            ),
            key(
                "body",
                Text,
                Always,
                "The text of the field, decoded, on one line.",
            ),
            raw("body_raw"),
        ],
        example: r#"{"body":"Disk almost full","name":"Subject"}"#,
    },
    JsonObject {
        name: "part",
        about: "A part of a message. A multipart and an attached message are parts, too, and their own parts follow them.",
        keys: &[
            key(
                "number",
                Text,
                Always,
                "The number of the part, such as 1.2. It is empty for a multipart that is the whole message.",
            ),
            key(
                "type",
                Text,
                Always,
                "The content type, such as text/plain.",
            ),
            key(
                "charset",
                Text,
                OrNull,
                "The charset that the part declares.",
            ),
            key("name", Text, OrNull, "The file name, decoded."),
            key(
                "attachment",
                Flag,
                Always,
                "Whether the part is an attachment.",
            ),
            key(
                "size",
                Number,
                Always,
                "How many bytes the decoded part has.",
            ),
        ],
        example: r#"{"attachment":true,"charset":null,"name":"report.pdf","number":"2","size":48213,"type":"application/pdf"}"#,
    },
    JsonObject {
        name: "receipt",
        about: "`send --json`, `reply --json` and `forward --json` print one object, whether the message was sent or not; `resend --json` prints one for each message. With `--dry-run` too it prints this object, and not the message.",
        keys: &[
            key(
                "message_id",
                Text,
                OrNull,
                "The Message-ID. It is null if the message could not be composed.",
            ),
            key("time", Time, Always, "The time of the receipt."),
            key("status", Number, Always, "The exit status."),
            key(
                "dry_run",
                Flag,
                Always,
                "Whether --dry-run was given, so that nothing is sent.",
            ),
            key(
                "recipients",
                Objects("recipient"),
                Always,
                "Each recipient, with its outcome. An alias is replaced by its members.",
            ),
            key(
                "rewrites",
                Objects("rewrite"),
                Always,
                "What a relay sees otherwise than the message says it.",
            ),
            key(
                "kept",
                Text,
                OrNull,
                "The file in which an unsent message is kept.",
            ),
            raw("kept_raw"),
            key(
                "error",
                Text,
                OrNull,
                "The error, as on standard error, that determines the exit status.",
            ),
            key("hint", Text, OrNull, "The hint for this error."),
        ],
        example: r#"{"dry_run":false,"error":"cannot send to b@example.org: 550 5.1.1 no such user","hint":null,"kept":"/root/dead.letter","message_id":"<1@example.com>","recipients":[{"code":550,"outbox":null,"outcome":"refused","queue_id":null,"reason":"mta names a relay","recipient":"b@example.org","route":"relay smtp://mx.example.org","target":"b@example.org","text":"550 5.1.1 no such user"}],"rewrites":[{"new":"alerts@example.org","old":"root","reason":"it has no domain, and from is set (/etc/mail.rc:3)","what":"envelope sender"}],"status":65,"time":"2026-11-16T09:00:00+01:00"}"#,
    },
    JsonObject {
        name: "rewrite",
        about: "A change that a receipt names: of the envelope or of a header field, in mail to a relay.",
        keys: &[
            key(
                "what",
                Text,
                Always,
                "What changes, such as \"envelope sender\" or \"From field\".",
            ),
            key(
                "old",
                Text,
                OrNull,
                "What it said. It is null if there was nothing.",
            ),
            key(
                "new",
                Text,
                OrNull,
                "What it says now. It is null if it is left out.",
            ),
            key("reason", Text, Always, "The reason."),
        ],
        example: r#"{"new":"Cron Daemon <alerts@example.org>","old":"Cron Daemon <root>","reason":"it has no domain, and from is set (/etc/mail.rc:3)","what":"From field"}"#,
    },
    JsonObject {
        name: "recipient",
        about: "A recipient in a receipt.",
        keys: &[
            key(
                "recipient",
                Text,
                Always,
                "The recipient as it was given, without a display name.",
            ),
            key(
                "target",
                Text,
                OrNull,
                "The recipient in the envelope. It is null if the recipient is not valid.",
            ),
            key(
                "route",
                Text,
                Always,
                "The route of the message, or \"none\".",
            ),
            key("reason", Text, Always, "The reason for the route."),
            key(
                "outcome",
                Text,
                Always,
                "accepted: the next hop has accepted the message. refused: it will never accept it. try-later: it does not accept it now. uncertain: it may have accepted it. not-sent: the message was not submitted for this recipient.",
            ),
            key(
                "code",
                Number,
                OrNull,
                "The code of the relay's reply, or the exit status of sendmail.",
            ),
            key(
                "text",
                Text,
                Always,
                "The reply of the next hop, or the error.",
            ),
            key("queue_id", Text, OrNull, "The queue id in the reply."),
            key(
                "outbox",
                Text,
                OrNull,
                "The ID of the message in the outbox, from where it is sent to this recipient later.",
            ),
        ],
        example: r#"{"code":250,"outbox":null,"outcome":"accepted","queue_id":"4F1A2B3C4D","reason":"mta names a relay","recipient":"a@example.com","route":"relay smtp://mx.example.org","target":"a@example.com","text":"250 2.0.0 Ok: queued as 4F1A2B3C4D"}"#,
    },
    JsonObject {
        name: "count",
        about: "`count --json` prints one object.",
        keys: &[
            key("mailbox", Text, Always, "The mailbox."),
            raw("mailbox_raw"),
            key("count", Number, Always, "How many messages were chosen."),
            key("new", Number, Always, "How many of them are new."),
            key("unread", Number, Always, "How many of them were not read."),
            key("flagged", Number, Always, "How many of them are flagged."),
        ],
        example: r#"{"count":7,"flagged":1,"mailbox":"/var/mail/root","new":2,"unread":3}"#,
    },
    JsonObject {
        name: "extracted file",
        about: "`extract --json` prints one object for each file.",
        keys: &[
            key("file", Text, Always, "The file that was written."),
            raw("file_raw"),
            key(
                "part",
                Text,
                Always,
                "The number of the part, as IMAP counts.",
            ),
            key("type", Text, Always, "The media type of the part."),
            key(
                "name",
                Text,
                OrNull,
                "The name that the sender gave the part; the file has a safe one.",
            ),
            key("size", Number, Always, "How many bytes the file has."),
        ],
        example: r#"{"file":"./report.pdf","name":"report.pdf","part":"2","size":34567,"type":"application/pdf"}"#,
    },
    JsonObject {
        name: "change",
        about: "`delete --json` and `mark --json` print one object.",
        keys: &[
            key("mailbox", Text, Always, "The mailbox."),
            raw("mailbox_raw"),
            key("action", Text, Always, "delete or mark."),
            key(
                "dry_run",
                Flag,
                Always,
                "Whether --dry-run was given, so that nothing is changed.",
            ),
            key(
                "numbers",
                Numbers,
                Always,
                "The numbers of the messages that were chosen.",
            ),
            key("deleted", Number, Always, "How many messages were deleted."),
            key(
                "flagged",
                Number,
                Always,
                "How many messages got other flags.",
            ),
            key(
                "flags_left_out",
                Number,
                Always,
                "How many messages kept their old flags, because the disk is full or a file name is already used.",
            ),
            key(
                "gone",
                Number,
                Always,
                "How many of the messages another program had already removed.",
            ),
            key(
                "arrived",
                Number,
                Always,
                "How many messages have arrived in the meantime.",
            ),
            key("left", Number, Always, "How many messages there are now."),
            key(
                "pending",
                Text,
                OrNull,
                "The journal of a change that could not be completed in the mailbox.",
            ),
            raw("pending_raw"),
            key("status", Number, Always, "The exit status."),
        ],
        example: r#"{"action":"delete","arrived":0,"deleted":1,"dry_run":false,"flagged":0,"flags_left_out":0,"gone":0,"left":4,"mailbox":"/var/mail/root","numbers":[3],"pending":null,"status":0}"#,
    },
    JsonObject {
        name: "entry",
        about: "`outbox list --json` prints one object for each message of the outbox. An empty outbox has none.",
        keys: &[
            key(
                "number",
                Number,
                Always,
                "The number of the message in the list, from 1. It changes when another message is sent.",
            ),
            key("id", Text, Always, "The ID, which does not change."),
            key(
                "state",
                Text,
                Always,
                "waiting: it is tried again. sending: it is being sent now. uncertain: it may have arrived. held: it waits for `outbox release`. failed: it was refused, or too old. new: its writer was killed, and the next flush takes it. torn: the file is not sound, and reason says why.",
            ),
            key("arrived", Time, Always, "When it came into the outbox."),
            key("age", Number, Always, "How many seconds ago that was."),
            key("size", Number, Always, "How many bytes the message has."),
            key("attempts", Number, Always, "How often it was tried."),
            key("last_try", Time, OrNull, "When it was tried last."),
            key(
                "next_try",
                Time,
                OrNull,
                "When it is tried next. It is null if the next flush tries it, or if nothing does.",
            ),
            key("route", Text, OrNull, "The route of the last try."),
            key(
                "route_down_since",
                Time,
                OrNull,
                "Since when this route takes no mail. It is null if it does.",
            ),
            key(
                "route_reply",
                Text,
                OrNull,
                "The last reply of a route that takes no mail, or why it could not be reached.",
            ),
            key(
                "reason",
                Text,
                OrNull,
                "Why the message is in this state: the last reply, or the error.",
            ),
            key(
                "repeated",
                Number,
                Always,
                "How many equal messages came while it waited. They were not kept.",
            ),
            key("user", Text, OrNull, "The login name of the sender."),
            key(
                "from",
                Text,
                OrNull,
                "The envelope sender that was asked for. It is empty for the null sender.",
            ),
            key("account", Text, OrNull, "The account that was chosen."),
            key("subject", Text, OrNull, "The subject, decoded."),
            key("message_id", Text, OrNull, "The Message-ID."),
            key(
                "recipients",
                Objects("copy"),
                Always,
                "Each recipient, with what became of it.",
            ),
            key("place", Text, Always, "The directory of the outbox."),
        ],
        example: r#"{"account":null,"age":5400,"arrived":"2026-11-16T09:00:00+01:00","attempts":7,"from":"alerts@example.com","id":"1794816000000123-4711-1a2b3c4d","last_try":"2026-11-16T10:15:02+01:00","message_id":"<1@example.com>","next_try":"2026-11-16T10:30:10+01:00","number":1,"place":"/var/spool/postrider/outbox","reason":"cannot connect to mx.example.org: Connection refused","recipients":[{"recipient":"ops@example.org","reply":"cannot connect to mx.example.org: Connection refused","state":"waiting","target":"ops@example.org","time":"2026-11-16T10:15:02+01:00"}],"repeated":0,"route":"relay smtp://mx.example.org","route_down_since":"2026-11-16T09:00:00+01:00","route_reply":"Connection refused","size":1234,"state":"waiting","subject":"Disk almost full","user":"root"}"#,
    },
    JsonObject {
        name: "copy",
        about: "A copy of a message in the outbox: one for each recipient.",
        keys: &[
            key("recipient", Text, Always, "The recipient."),
            key(
                "target",
                Text,
                OrNull,
                "The recipient in the envelope, after aliases. It is null before the first try.",
            ),
            key(
                "state",
                Text,
                Always,
                "waiting: it is tried again. accepted: the next hop has the message for it. refused: it will never accept it. uncertain: it may have it.",
            ),
            key("reply", Text, OrNull, "The last reply, or the error."),
            key("time", Time, OrNull, "When that was."),
        ],
        example: r#"{"recipient":"ops@example.org","reply":"451 4.3.0 try again later","state":"waiting","target":"ops@example.org","time":"2026-11-16T10:15:02+01:00"}"#,
    },
    JsonObject {
        name: "error",
        about: "If `list`, `show` or `outbox list` fails, this is the last object. If `delete` or `mark` fails, this object is printed instead of the result. If a mailbox has no mail, `list` prints no object, and the exit status is 1.",
        keys: &[
            key(
                "error",
                Text,
                Always,
                "The error, as on standard error, that determines the exit status.",
            ),
            key("hint", Text, OrNull, "The hint for this error."),
            key("status", Number, Always, "The exit status."),
        ],
        example: r#"{"error":"cannot open archive.mbox: No such file or directory","hint":null,"status":66}"#,
    },
];

const MESSAGE: &[JsonKey] = &[
    key(
        "number",
        Number,
        Always,
        "The number of the message, from 1.",
    ),
    key(
        "flags",
        Texts,
        Always,
        "First new, unread or read; then those of answered, flagged, draft and deleted that are set.",
    ),
    key(
        "envelope_from",
        Text,
        OrNull,
        "The envelope sender, from the From_ line.",
    ),
    raw("envelope_from_raw"),
    key("from", Text, OrNull, "The From field, decoded."),
    raw("from_raw"),
    key(
        "from_address",
        Text,
        OrNull,
        "The first address in the From field.",
    ),
    key(
        "from_name",
        Text,
        OrNull,
        "The display name of that address.",
    ),
    key("to", Text, OrNull, "The To field, decoded."),
    raw("to_raw"),
    key("cc", Text, OrNull, "The Cc field, decoded."),
    raw("cc_raw"),
    key("subject", Text, OrNull, "The subject, decoded."),
    raw("subject_raw"),
    key("message_id", Text, OrNull, "The Message-ID field."),
    raw("message_id_raw"),
    key(
        "date",
        Time,
        OrNull,
        "The time in the Date field. A time without a known zone is taken as UTC. If the field cannot be read, this is the time of the From_ line.",
    ),
    key(
        "date_zone",
        Text,
        OrNull,
        "The zone in the Date field, such as +01:00. It is null if the field names none, or if the date comes from the From_ line.",
    ),
    key(
        "lines",
        Number,
        Always,
        "How many lines the message has in the mailbox, with its From_ line.",
    ),
    key(
        "size",
        Number,
        Always,
        "How many bytes the message has in the mailbox, with its From_ line.",
    ),
];

const WHOLE: &[JsonKey] = &[
    key(
        "fields",
        Objects("field"),
        Always,
        "All header fields, in their order.",
    ),
    key(
        "text",
        Text,
        Always,
        "The text of the message, decoded. A line in [-- and --] names an attachment or an unknown charset.",
    ),
    key(
        "parts",
        Objects("part"),
        Always,
        "The parts of the message, in their order.",
    ),
    key(
        "unknown_charsets",
        Texts,
        Always,
        "The charsets in the message that Postrider does not know. Text in such a charset is read as UTF-8 if it is valid UTF-8, and else as windows-1252.",
    ),
];
