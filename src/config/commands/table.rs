//! The rows of the table of commands, in groups as `help` shows them.
//!
//! To add a command: a row in the group of its like, an arm in `shell/dispatch.rs`. The help line says
//! in the imperative what it does; [`Command::more`] adds what else a user needs to know, with an
//! example.

use super::row::Arguments::{
    File as Target, Forwarded, Message, Messages, None, Piped, Recipients, Steps, Text as Line,
    Topic, Words,
};
use super::row::Help::{Alias as Same, Text};
// All of them: a list of names would be touched by every new command.
use super::row::PromptCommand::*;
use super::row::RcCommand::{
    Account, Alias, Alternates, Call, CallIf, CommandAlias, Define, Elif, Else, Endif, ForgetList,
    If, Ignore, MailingList, NoEffect, NotAllowed, Retain, Set, Source, SourceIf, Unalias,
    Unalternates, UncommandAlias, Unignore, Unretain, Unset, Unsubscribe,
};
use super::row::{
    Command, Group, PromptCommand, RcCommand, changes, configures, of_rc_files, shows,
};
use crate::config::field_lists::FieldUse::{Forward as Forwarding, Save as Saving, Show};

/// All commands, in groups.
///
/// POSIX mailx names the commands that a start-up file must not hold: those marked `NotAllowed`. A
/// message of the mailbox would have to be open for most of them.
#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { title: "Show messages", rows: READING },
    Group { title: "Mark messages", rows: MARKING },
    Group { title: "Save messages", rows: SAVING },
    Group { title: "Choose the mailbox", rows: FOLDERS },
    Group { title: "Send mail", rows: SENDING },
    Group { title: "Run other programs", rows: RUNNING },
    Group { title: "Change how it works", rows: SETTING },
    Group { title: "Write scripts", rows: SCRIPTS },
    Group { title: "Leave, or get help", rows: LEAVING },
];

#[rustfmt::skip]
const READING: &[Command] = &[
    shows("next", 1, Next, Messages, Text("Show the next message, or the next one of a list"))
        .more("Until a message was shown, it shows the current one. After the last message of the list comes its first. An empty line is next.\n    next /failed").in_rc_files(NoEffect),
    shows("print", 1, Print, Messages, Text("Show messages")).more("Only the fields of retain are shown; Print shows them all. A part has a number, as struct lists them.\n    print 3.2").in_rc_files(NoEffect),
    shows("type", 1, Print, Messages, Same).in_rc_files(NoEffect),
    shows("Print", 1, PrintAllFields, Messages, Text("Show messages with all header fields")).in_rc_files(NoEffect),
    shows("Type", 1, PrintAllFields, Messages, Same).in_rc_files(NoEffect),
    shows("more", 2, Page, Messages, Text("Show messages with the pager")).in_rc_files(NoEffect),
    shows("page", 2, Page, Messages, Same).in_rc_files(NoEffect),
    shows("More", 2, PageAllFields, Messages, Text("Show messages with all header fields, with the pager")).in_rc_files(NoEffect),
    shows("Page", 2, PageAllFields, Messages, Same).in_rc_files(NoEffect),
    shows("show", 4, ShowStored, Messages, Text("Show messages as they are stored, not decoded")).more("Of a part, such as show 3.2, the content without its transfer encoding.").in_rc_files(NoEffect),
    shows("Show", 2, ShowStored, Messages, Same).in_rc_files(NoEffect),
    shows("struct", 3, Structure, Messages, Text("List the parts of messages: number, type, size, name")).more("print, show, save, copy, write and pipe take the numbers.\n    save 3.2 report.pdf"),
    shows("top", 2, Top, Messages, Text("Show the first lines of messages")).in_rc_files(NoEffect),
    shows("+", 1, StepForward, Messages, Text("Show the message after the current one, or the next one of a list")),
    shows("-", 1, StepBack, Messages, Text("Show the previous message, or the previous one of a list"))
        .more("A number is that many messages back.\n    -/failed\n    -3"),
    shows("previous", 4, StepBack, Messages, Same),
    shows("headers", 1, Headers, Message, Text("Show the screen of header lines that contains the message")).in_rc_files(NoEffect),
    shows("from", 1, From, Messages, Text("Show the header lines of messages")).in_rc_files(NoEffect),
    shows("search", 3, Search, Line, Text("Show the header lines of what a search finds: from:cron and not :r")).more(
        "A search is a message list that may also have and, or, not and parentheses. See `help lists`.\n    \
         search from:cron and older:7d\n    search body:\"disk full\" and (:u or :f)\n    search subject:/fail(ed|ure)/ not root\n\
         Then a backquote names the messages that were found.\n    save ` found.mbox",
    ),
    shows("sort", 3, Sort, Line, Text("Sort the messages by date, from, size, status, subject, thread or to")).more(
        "Messages keep their numbers. With reverse- in front of the name the order is turned round; without a name \
         sort says what the messages are sorted by.\n    sort reverse-date",
    ),
    shows("unsort", 4, Unsort, None, Text("Show the messages in the order of the mailbox")),
    shows("thread", 2, Thread, None, Text("Show the messages by threads, answers below what they answer")),
    shows("tag", 2, Tag, Messages, Text("Tag messages, for lists with :T")),
    shows("untag", 4, Untag, Messages, Text("Untag messages")),
    shows("z", 1, Scroll, Steps, Text("Show the next or previous screen of header lines")),
    shows("size", 2, Size, Messages, Text("Show the number of lines and bytes of messages")).in_rc_files(NoEffect),
    shows("=", 1, Number, None, Text("Show the number of the current message")),
];

#[rustfmt::skip]
const MARKING: &[Command] = &[
    changes("delete", 1, Delete, Messages, Text("Delete messages")).in_rc_files(NoEffect),
    changes("dp", 2, DeleteAndPrint, Messages, Text("Delete messages and show the next one")),
    changes("dt", 2, DeleteAndPrint, Messages, Same),
    changes("undelete", 1, Undelete, Messages, Text("Undelete messages")).more("Without a list it is the next deleted message, else the one before.").in_rc_files(NoEffect),
    changes("undo", 4, Undo, None, Text("Take back the last command that marked messages"))
        .more("Each undo takes back one more command. A copy that save or move has made in another file stays there.").in_rc_files(NoEffect),
    changes("hold", 2, Hold, Messages, Text("Keep messages in the mailbox when leaving")).in_rc_files(NotAllowed),
    changes("preserve", 3, Hold, Messages, Same).in_rc_files(NotAllowed),
    changes("mbox", 2, Mbox, Messages, Text("Move messages to MBOX when leaving")).in_rc_files(NoEffect),
    changes("touch", 3, Touch, Messages, Text("Mark messages as used in this session")).in_rc_files(NoEffect),
    changes("unread", 6, Unread, Messages, Text("Mark messages as not read")),
    changes("Unread", 1, Unread, Messages, Same),
    changes("new", 3, New, Messages, Text("Mark messages as new")),
    changes("New", 3, New, Messages, Same),
    changes("seen", 4, Seen, Messages, Text("Mark messages as read")),
    changes("flag", 2, Flagged, Messages, Text("Flag messages")),
    changes("unflag", 4, Unflagged, Messages, Text("Unflag messages")),
    changes("answered", 3, Answered, Messages, Text("Mark messages as answered")),
    changes("unanswered", 4, Unanswered, Messages, Text("Mark messages as not answered")),
    changes("draft", 2, Draft, Messages, Text("Mark messages as drafts")),
    changes("undraft", 4, Undraft, Messages, Text("Mark messages as not drafts")),
];

#[rustfmt::skip]
const SAVING: &[Command] = &[
    changes("save", 1, Save, Target, Text("Append messages to a file, or write a part of one to a file"))
        .more("Messages go into a mailbox. A single word is the file, for the current message; without any, the file is MBOX. A part that its number names, as struct lists it, is written decoded into a plain file, after what is there: the attachment as it was before it was sent. In a directory it gets the name that the sender gave it, made safe; a file that is there is never replaced. Parts do not mark their message as saved.\n    save 1-3 +old\n    save 3.2 report.pdf").in_rc_files(NoEffect),
    changes("Save", 1, SaveByAuthor, Messages, Text("Append messages to a file named after the author"))
        .more("A part, such as Save 3.2, is written into the same directory under its own name."),
    changes("copy", 1, Copy, Target, Text("Append messages to a file, without marking them as saved")).more("A part is written to a file as save does it.").in_rc_files(NoEffect),
    changes("Copy", 1, CopyByAuthor, Messages, Text("Append messages to a file named after the author, without marking them as saved")).in_rc_files(NotAllowed),
    changes("move", 3, Move, Target, Text("Append messages to a file and delete them here")),
    changes("mv", 2, Move, Target, Same),
    changes("Move", 3, MoveByAuthor, Messages, Text("Append messages to a file named after the author and delete them here")),
    changes("Mv", 2, MoveByAuthor, Messages, Same),
    changes("write", 1, Write, Target, Text("Append the text to a file, or write attachments into a directory")).in_rc_files(NoEffect),
    changes("Write", 1, WriteByAuthor, Messages, Text("Append the text to a file named after the author")),
];

#[rustfmt::skip]
const FOLDERS: &[Command] = &[
    shows("file", 2, File, Line, Text("Say which mailbox is open, or open another one"))
        .more("The mailbox that is open is left as by quit, after the other one could be opened. Names:\n    %        your system mailbox, %ann that of ann\n    &        MBOX, the file that read messages move to\n    #        the mailbox that was open before\n    +name    a file in the directory folder\n    ~/name   a file in your home directory"),
    shows("folder", 4, File, Line, Same),
    shows("File", 3, FileReadOnly, Line, Text("Open another mailbox without changing anything in it")),
    shows("Folder", 4, FileReadOnly, Line, Same),
    shows("%", 1, OwnMailbox, Words("[user]"), Text("Open your system mailbox, or that of a user, as file % does")),
    shows("folders", 7, Folders, Line, Text("List the files in the directory folder, or in another one")),
    shows("newmail", 4, Newmail, None, Text("Look for new messages in the mailbox")),
    shows("inc", 3, Newmail, None, Same),
];

#[rustfmt::skip]
const SENDING: &[Command] = &[
    changes("mail", 1, Mail, Recipients, Text("Send a message")).in_rc_files(NotAllowed)
        .more("At a terminal, type the text and end it with a line `~.` or with Ctrl-D; `help escapes` lists the other escapes. In a script, the lines after the command are the text, up to the end of the input; with -~ a line `~.` ends it.\n    mail ada@example.org, ops"),
    changes("Mail", 1, MailRecorded, Recipients, Text("Send a message, and append a copy to a file named after the first recipient")),
    changes("reply", 1, Reply, Messages, Text("Reply to the author and the other recipients")).in_rc_files(NotAllowed)
        .more("Your own addresses are left out: your login name on this host, the address in from, and your alternates. The fields Reply-To and Mail-Followup-To of the message are followed; see reply-to-honour and followup-to-honour. Set flipr to swap reply and Reply. If the reply is accepted, the message is marked as answered."),
    changes("respond", 3, Reply, Messages, Same).in_rc_files(NotAllowed),
    changes("Reply", 1, ReplyAuthor, Messages, Text("Reply to the authors only")).in_rc_files(NotAllowed),
    changes("Respond", 3, ReplyAuthor, Messages, Same).in_rc_files(NotAllowed),
    changes("replyall", 6, ReplyAll, Messages, Text("Reply like reply, but ignore flipr")),
    changes("respondall", 8, ReplyAll, Messages, Same),
    changes("replysender", 6, ReplySender, Messages, Text("Reply like Reply, but ignore flipr")),
    changes("respondsender", 8, ReplySender, Messages, Same),
    changes("followup", 2, Followup, Messages, Text("Reply like reply, and append a copy to a file named after the author")).in_rc_files(NotAllowed),
    changes("Followup", 1, FollowupAuthor, Messages, Text("Reply like Reply, and append a copy to a file named after the author")).in_rc_files(NotAllowed),
    changes("followupall", 9, FollowupAll, Messages, Text("Reply like followup, but ignore flipr")),
    changes("followupsender", 9, FollowupSender, Messages, Text("Reply like Followup, but ignore flipr")),
    changes("Lreply", 2, ListReply, Messages, Text("Reply to the mailing list of a message only"))
        .more("The list is named by the field List-Post of the message, or it is a recipient that mlist or mlsubscribe names. The reply has the field Mail-Followup-To; see followup-to."),
    changes("Lfollowup", 2, ListFollowup, Messages, Text("Reply like Lreply, and append a copy to a file named after the author")),
    changes("forward", 4, Forward, Forwarded, Text("Forward messages with a text of yours"))
        .more("The last word is the recipients, with commas between them. The text of the messages follows yours; ~e and ~v give it to the editor as well. Their attachments are sent too, unless forward-attachments is unset. With forward-as-attachment the whole messages are attached.\n    forward 3 ada@example.org,ops"),
    changes("fwd", 2, Forward, Forwarded, Same),
    changes("Forward", 4, ForwardRecorded, Forwarded, Text("Forward messages, and append a copy to a file named after the first recipient")),
    changes("Fwd", 3, ForwardRecorded, Forwarded, Same),
    changes("resend", 4, Resend, Forwarded, Text("Send messages unchanged to other recipients, with header fields that name you as the sender")),
    changes("redirect", 5, Resend, Forwarded, Same),
    changes("Resend", 4, ResendPlain, Forwarded, Text("Send messages unchanged to other recipients, without such header fields")),
    changes("Redirect", 5, ResendPlain, Forwarded, Same),
];

#[rustfmt::skip]
const RUNNING: &[Command] = &[
    changes("edit", 1, Edit, Messages, Text("Give a copy of messages to the editor")).more("The mailbox stays as it is. The editor is that of the variable editor, or $EDITOR; visual uses visual, or $VISUAL. Without either, it is vi at a terminal.").in_rc_files(NotAllowed),
    changes("visual", 1, Visual, Messages, Text("Give a copy of messages to the visual editor")).more("See edit.").in_rc_files(NotAllowed),
    changes("pipe", 2, Pipe, Piped, Text("Give messages to a shell command as input")).more("The command is the last word: quote it if it has blanks. After numbers it needs no quotes. The messages come as they are, with all header fields; if page is set, a form feed ends each. A part that its number names comes decoded. Without a command, the variable cmd names it.\n    pipe 3 'gpg --verify'\n    pipe 3.2 'pdftotext - -'").in_rc_files(NoEffect),
    changes("|", 1, Pipe, Piped, Same),
    changes("shell", 2, Shell, None, Text("Run the shell")).in_rc_files(NotAllowed),
    changes("!", 1, ShellCommand, Line, Text("Run a shell command")).more("If the variable bang is set, each ! in it is the last command.\n    !df -h").in_rc_files(NotAllowed),
];

#[rustfmt::skip]
const SETTING: &[Command] = &[
    configures("set", 2, Set, Words("[name[=value] | noname]..."), Text("Set variables, or list those that are set"))
        .more("`set name=` sets an empty value, and `set noname` unsets it.\n`help NAME` says what a variable does.\n    set crt=20 folder=~/Mail noheader"),
    configures("unset", 3, Unset, Words("name..."), Text("Unset variables")),
    configures("alias", 1, Alias, Words("[name [recipient]...]"), Text("Add recipients to a name, or list the names"))
        .more("A mail to the name goes to all its recipients; they may be names as well.\n    alias ops alice@example.org 'Bob Smith <bob@example.org>'"),
    configures("group", 1, Alias, Words("[name [recipient]...]"), Same),
    configures("unalias", 3, Unalias, Words("name..."), Text("Forget names of recipients; * forgets all")),
    configures("ungroup", 7, Unalias, Words("name..."), Same),
    configures("alternates", 3, Alternates, Words("[address]..."), Text("Name your other addresses, or list them"))
        .more("A reply does not go to them. A later list replaces the earlier one."),
    configures("unalternates", 5, Unalternates, Words("address..."), Text("Forget some of your other addresses; * forgets all")),
    configures("ignore", 2, Ignore(Show), Words("[field]..."), Text("Hide header fields, or list the hidden ones"))
        .more("The list has no effect while there are fields that `retain` names."),
    configures("discard", 2, Ignore(Show), Words("[field]..."), Same),
    configures("retain", 3, Retain(Show), Words("[field]..."), Text("Show these header fields alone, or list them")),
    configures("unignore", 5, Unignore(Show), Words("field..."), Text("Take fields off the list of ignore; * takes all")),
    configures("undiscard", 9, Unignore(Show), Words("field..."), Same),
    configures("unretain", 5, Unretain(Show), Words("field..."), Text("Take fields off the list of retain; * takes all")),
    configures("saveignore", 10, Ignore(Saving), Words("[field]..."), Text("Leave header fields out of messages that are saved, or list them"))
        .more("It concerns save, copy, move and MBOX. The fields of MIME, which say how the text is encoded, and the marks of the mailbox always stay.\n    saveignore received x-spam-status"),
    configures("savediscard", 11, Ignore(Saving), Words("[field]..."), Same),
    configures("saveretain", 10, Retain(Saving), Words("[field]..."), Text("Save these header fields alone, or list them"))
        .more("See saveignore, which has no effect while this list names a field."),
    configures("unsaveignore", 12, Unignore(Saving), Words("field..."), Text("Take fields off the list of saveignore; * takes all")),
    configures("unsaveretain", 12, Unretain(Saving), Words("field..."), Text("Take fields off the list of saveretain; * takes all")),
    configures("fwdignore", 9, Ignore(Forwarding), Words("[field]..."), Text("Leave header fields out of the text of forwarded messages, or list them"))
        .more("The text begins with From, Date, To, Cc and Subject, without those of this list. With forward-as-attachment, and for resend, the message stays whole."),
    configures("fwddiscard", 10, Ignore(Forwarding), Words("[field]..."), Same),
    configures("fwdretain", 9, Retain(Forwarding), Words("[field]..."), Text("Begin the text of forwarded messages with these header fields, or list them"))
        .more("    fwdretain from date to cc subject message-id"),
    configures("unfwdignore", 11, Unignore(Forwarding), Words("field..."), Text("Take fields off the list of fwdignore; * takes all")),
    configures("unfwdretain", 11, Unretain(Forwarding), Words("field..."), Text("Take fields off the list of fwdretain; * takes all")),
    configures("headerpick", 10, RcCommand::HeaderPick, Words("type|save|forward ignore|retain field..."), Text("Choose header fields, as ignore and retain, saveignore and fwdignore do"))
        .more("The list for top, which s-nail has, has no effect: top shows the fields that print shows."),
    configures("unheaderpick", 12, RcCommand::UnheaderPick, Words("type|save|forward ignore|retain field..."), Text("Take fields off such a list; * takes all")),
    configures("mlist", 5, MailingList { subscribed: false }, Words("[address]..."), Text("Name mailing lists that you know, or list them"))
        .more("An address with one of the characters ^[*+?|$ is a regular expression. See followup-to.\n    mlist users@lists.example.org '.*@lists\\.example\\.net$'"),
    configures("mlsubscribe", 11, MailingList { subscribed: true }, Words("[address]..."), Text("Name mailing lists that you get, or list them"))
        .more("They are known ones as well. A message to them asks for answers without a copy for you, if followup-to is set."),
    configures("unmlist", 7, ForgetList, Words("address..."), Text("Forget mailing lists; * forgets all")),
    configures("unmlsubscribe", 13, Unsubscribe, Words("address..."), Text("Know mailing lists as ones that you do not get; * means all")),
    configures("account", 2, Account, Words("[name | name {]"), Text("Use an account, list the accounts, or begin one"))
        .more("The lines up to a line with } belong to the account; they set what it needs.\n    account work {\n      set from=me@example.org mta=smtps://mail.example.org\n    }"),
    configures("commandalias", 12, CommandAlias, Words("[name [command]]"), Text("Give a command another name, or list these names"))
        .more("    commandalias del delete"),
    configures("ghost", 5, CommandAlias, Words("[name [command]]"), Same),
    configures("uncommandalias", 14, UncommandAlias, Words("name..."), Text("Forget other names of commands; * forgets all")),
    configures("unghost", 7, UncommandAlias, Words("name..."), Same),
    shows("cd", 2, ChangeDirectory, Words("[directory]"), Text("Change the working directory; without a name, to your home directory")).in_rc_files(NoEffect),
    shows("chdir", 2, ChangeDirectory, Words("[directory]"), Same).in_rc_files(NoEffect),
];

#[rustfmt::skip]
const SCRIPTS: &[Command] = &[
    shows("echo", 2, PromptCommand::Echo, Words("[word]..."), Text("Print the words")).more("They are printed as they stand: `$NAME` is not replaced. From a start-up file they are printed when the reader starts.").in_rc_files(RcCommand::Echo),
    shows("#", 1, Comment, Line, Text("Ignore the line")),
    shows("source", 2, PromptCommand::Source, Words("file"), Text("Carry out the commands in a file"))
        .more("A name that ends in | is a shell command, whose output is carried out. What begins in the\nfile, such as an if, ends in it.").in_rc_files(Source),
    of_rc_files("source_if", 9, SourceIf),
    configures("if", 1, If, Words("s|r|t|condition"), Text("Carry out the lines up to else or endif under a condition"))
        .more("s counts where a mail is sent, r where mail is read, and t where a person types; `!` negates it.\nConditions may compare variables: `if $TERM == dumb`. They nest.\n    if t\n      set crt\n    else\n      set quiet\n    endif"),
    configures("elif", 3, Elif, Words("condition"), Text("Begin another branch of an if, with its condition")),
    configures("else", 2, Else, None, Text("Begin the other branch of an if")),
    configures("endif", 2, Endif, None, Text("End an if")),
    configures("define", 6, Define, Words("name {"), Text("Skip a macro, up to a line with }"))
        .more("Macros are those of s-nail. They are read over and never run."),
    configures("call", 4, Call, Words("name"), Text("Fail, because macros are not run")),
    configures("call_if", 7, CallIf, Words("name"), Same),
    configures("xcall", 5, Call, Words("name"), Same),
];

#[rustfmt::skip]
const LEAVING: &[Command] = &[
    shows("exit", 2, Exit, None, Text("Leave without changing the mailbox")).in_rc_files(NoEffect),
    shows("xit", 1, Exit, None, Same).in_rc_files(NoEffect),
    shows("quit", 1, Quit, None, Text("Write the changes and leave")).in_rc_files(NoEffect),
    shows("help", 3, ShowHelp, Topic, Text("Show the commands, or explain one")).more("There are also `help lists`, `help escapes`, `help variables` and `help commands`.").in_rc_files(NoEffect),
    shows("?", 1, ShowHelp, Topic, Same),
    shows("list", 1, ListCommands, None, Text("List the names of all commands (headers lists the messages)")).in_rc_files(NoEffect),
    shows("history", 4, History, Line, Text("Show the commands that were typed")).more("`history 10` shows the last ten; `history off` keeps no more of them in this session, `history on` does again, and `history clear` forgets them all. See the variable history.").in_rc_files(NoEffect),
    shows("version", 2, Version, None, Text("Show the version")),
];
