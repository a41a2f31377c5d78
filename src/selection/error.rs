//! Why a message list or a search names no messages.

use std::fmt;

/// Why a message list or a search names no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListError {
    /// The list is understood, and no message matches it.
    NoMatch,
    /// `+`, and the current message is the last one.
    AfterLast,
    /// `-`, and the current message is the first one.
    BeforeFirst,
    /// The message with this number, counted from 1, is not one that the command can apply to: it
    /// is deleted, or for `undelete` it is not.
    Hidden(usize),
    /// The mailbox has no message with this number.
    NoSuchMessage(String),
    /// The letters after `:` are missing, or this one has no meaning.
    UnknownFlag(Option<char>),
    /// `/` alone, and nothing was searched for before.
    NoPreviousSearch,
    /// `;`, and no other message was current before.
    NoPreviousMessage,
    /// `,`, and the message that this one answers is not there.
    NoParent,
    /// `` ` ``, and no list was used before.
    NoPreviousList,
    /// This word is neither a number nor a range.
    NotUnderstood(String),
    /// This word names a part of a message, and the command takes whole messages.
    NamesPart(String),
    /// The list is one of another program; and what to write here.
    OfOthers(String, String),
    /// A quote is not closed.
    OpenQuote,
    /// A parenthesis is not closed, or was not opened.
    OpenParenthesis,
    /// There are too many parentheses within each other.
    TooDeep,
    /// This operator stands alone.
    Dangling(String),
    /// More texts, filters and operators than this.
    TooManyQuestions(usize),
    /// A signal came while messages were looked at.
    Interrupted,
    /// The word, and why its regular expression cannot be used.
    BadPattern(String, String),
    /// The word, and what its value has to be.
    BadValue(String, &'static str),
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListError::NoMatch => f.write_str("No applicable messages"),
            ListError::AfterLast => f.write_str("Referencing beyond EOF"),
            ListError::BeforeFirst => f.write_str("Referencing before 1"),
            ListError::Hidden(number) => write!(f, "{number}: Inappropriate message"),
            ListError::NoSuchMessage(number) => write!(f, "{number}: Invalid message number"),
            ListError::UnknownFlag(letter) => {
                let letter = letter.map(String::from).unwrap_or_default();
                write!(f, "Unknown message type: \":{letter}\"")
            }
            ListError::NoPreviousSearch => f.write_str("No previous search"),
            ListError::NoPreviousMessage => f.write_str("No message was current before"),
            ListError::NoParent => {
                f.write_str("The message that the current one answers is not here")
            }
            ListError::NoPreviousList => f.write_str("No message list was used before"),
            ListError::NotUnderstood(word) => write!(f, "\"{word}\": Bad message list"),
            ListError::NamesPart(word) => write!(
                f,
                "\"{word}\" names a part of a message; this command takes whole messages"
            ),
            ListError::OfOthers(typed, instead) => write!(f, "\"{typed}\": {instead}"),
            ListError::OpenQuote => f.write_str("Missing closing quote in the message list"),
            ListError::OpenParenthesis => f.write_str("Unbalanced parentheses in the search"),
            ListError::TooDeep => f.write_str("Too many parentheses within each other"),
            ListError::Dangling(word) => {
                write!(f, "\"{word}\" needs something to search for on each side")
            }
            ListError::TooManyQuestions(most) => {
                write!(f, "Too many texts and filters: there may be {most} of them")
            }
            ListError::Interrupted => f.write_str("Interrupted"),
            ListError::BadPattern(word, why) => {
                write!(f, "\"{word}\": bad regular expression: {why}")
            }
            ListError::BadValue(word, wanted) => write!(f, "\"{word}\": {wanted}"),
        }
    }
}

impl std::error::Error for ListError {}

impl ListError {
    /// Returns whether the list is understood and only names nothing that is there now.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, ListError::NoMatch | ListError::Hidden(_))
    }
}
