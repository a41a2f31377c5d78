# Install in /usr/share/fish/vendor_completions.d as postrider.fish: it is found by the name of the command.
# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_postrider_global_optspecs
    string join \n h/help V/version
end

function __fish_postrider_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_postrider_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_postrider_using_subcommand
    set -l cmd (__fish_postrider_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c postrider -n "__fish_postrider_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_needs_command" -s V -l version -d 'Print version'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "send" -d 'Send a message read from standard input'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "read" -d 'Open the reader'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "list" -d 'List the messages of a mailbox'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "search" -d 'List the messages that a search finds'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "count" -d 'Print the number of messages'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "show" -d 'Show a message of a mailbox'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "extract" -d 'Write the attachments of a message into files'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "delete" -d 'Delete messages of a mailbox'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "mark" -d 'Mark messages of a mailbox'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "reply" -d 'Reply to a message, with a text read from standard input'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "forward" -d 'Forward a message, with a text of yours read from standard input'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "outbox" -d 'Look after the messages that wait to be sent'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "resend" -d 'Send unsent messages again'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "ses-password" -d 'Print the SMTP password of AWS SES'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "install" -d 'Install the program\'s names, manual pages, completions and units'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "generate" -d 'Print a manual page, or the completions of a shell'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "mailx" -d 'Take a mailx command line'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "sendmail" -d 'Take a sendmail command line'
complete -c postrider -n "__fish_postrider_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l subject -d 'Set the subject' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand send" -l cc -d 'Send a copy to these recipients' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand send" -l bcc -d 'Send a copy to these recipients, hidden from the others' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand send" -l from -d 'Set the sender in the From field and in the envelope' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand send" -l content-type -d 'Set the Content-Type of the text, for example text/html' -r -f -a "text/plain\t''
text/html\t''"
complete -c postrider -n "__fish_postrider_using_subcommand send" -l attach -d 'Attach this file; - is standard input' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand send" -l header -d 'Add this header field, as `Name: text`' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand send" -l html -d 'Add this HTML file as an alternative form of the text; - is standard input' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand send" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand send" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand send" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand send" -l pre -d 'Also send the text as HTML in a fixed-width font, so that tables stay aligned'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l plain -d 'Remove terminal colours and overwritten progress lines from the text'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l strict-size -d 'Refuse a message that is too large, instead of leaving out attachments'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l discard-empty-messages -d 'Do not send a message without a body and attachments'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l dry-run -d 'Print the message and its routes; send nothing'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l json -d 'Print the result as one JSON object on standard output'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l explain -d 'Print the route of each recipient, the reasons, and the origin of each setting; send nothing'
complete -c postrider -n "__fish_postrider_using_subcommand send" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand send" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand read" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand read" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand read" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand read" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand read" -l read-only -d 'Change nothing in the mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand read" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand read" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand list" -l from -d 'Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l to -d 'Choose messages that have this text in To, Cc or Bcc' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l subject -d 'Choose messages whose subject contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l body -d 'Choose messages whose decoded text contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l since -d 'Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l before -d 'Choose messages delivered before this day' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l older-than -d 'Choose messages delivered longer ago than this: 30d, 12h or 8w' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l newer-than -d 'Choose messages delivered less long ago than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l larger-than -d 'Choose messages of more bytes than this: 500, 10K or 2M' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l smaller-than -d 'Choose messages of fewer bytes than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand list" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand list" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand list" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand list" -l unread -d 'Choose unread messages'
complete -c postrider -n "__fish_postrider_using_subcommand list" -l read -d 'Choose read messages'
complete -c postrider -n "__fish_postrider_using_subcommand list" -l flagged -d 'Choose flagged messages'
complete -c postrider -n "__fish_postrider_using_subcommand list" -l json -d 'Print one JSON object a message'
complete -c postrider -n "__fish_postrider_using_subcommand list" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand list" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand search" -l from -d 'Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l to -d 'Choose messages that have this text in To, Cc or Bcc' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l subject -d 'Choose messages whose subject contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l body -d 'Choose messages whose decoded text contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l since -d 'Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l before -d 'Choose messages delivered before this day' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l older-than -d 'Choose messages delivered longer ago than this: 30d, 12h or 8w' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l newer-than -d 'Choose messages delivered less long ago than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l larger-than -d 'Choose messages of more bytes than this: 500, 10K or 2M' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l smaller-than -d 'Choose messages of fewer bytes than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand search" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand search" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand search" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand search" -l unread -d 'Choose unread messages'
complete -c postrider -n "__fish_postrider_using_subcommand search" -l read -d 'Choose read messages'
complete -c postrider -n "__fish_postrider_using_subcommand search" -l flagged -d 'Choose flagged messages'
complete -c postrider -n "__fish_postrider_using_subcommand search" -l json -d 'Print one JSON object a message'
complete -c postrider -n "__fish_postrider_using_subcommand search" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand search" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand search" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand count" -l from -d 'Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l to -d 'Choose messages that have this text in To, Cc or Bcc' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l subject -d 'Choose messages whose subject contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l body -d 'Choose messages whose decoded text contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l since -d 'Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l before -d 'Choose messages delivered before this day' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l older-than -d 'Choose messages delivered longer ago than this: 30d, 12h or 8w' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l newer-than -d 'Choose messages delivered less long ago than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l larger-than -d 'Choose messages of more bytes than this: 500, 10K or 2M' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l smaller-than -d 'Choose messages of fewer bytes than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand count" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand count" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand count" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand count" -l unread -d 'Choose unread messages'
complete -c postrider -n "__fish_postrider_using_subcommand count" -l read -d 'Choose read messages'
complete -c postrider -n "__fish_postrider_using_subcommand count" -l flagged -d 'Choose flagged messages'
complete -c postrider -n "__fish_postrider_using_subcommand count" -l json -d 'Print one JSON object'
complete -c postrider -n "__fish_postrider_using_subcommand count" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand count" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand count" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand show" -l part -d 'Show only this part, decoded; `show --json` lists the parts with their numbers' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand show" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand show" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand show" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand show" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand show" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand show" -l json -d 'Print one JSON object'
complete -c postrider -n "__fish_postrider_using_subcommand show" -l raw -d 'Print the bytes exactly as they are in the mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand show" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand show" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand show" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l to -d 'Write the files into this directory; by default the current one' -r -f -a "(__fish_complete_directories)"
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l part -d 'Write only this part, whatever it is; `show --json` lists the parts with their numbers' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l json -d 'Print one JSON object a file'
complete -c postrider -n "__fish_postrider_using_subcommand extract" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand extract" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand extract" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l from -d 'Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l to -d 'Choose messages that have this text in To, Cc or Bcc' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l subject -d 'Choose messages whose subject contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l body -d 'Choose messages whose decoded text contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l since -d 'Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l before -d 'Choose messages delivered before this day' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l older-than -d 'Choose messages delivered longer ago than this: 30d, 12h or 8w' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l newer-than -d 'Choose messages delivered less long ago than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l larger-than -d 'Choose messages of more bytes than this: 500, 10K or 2M' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l smaller-than -d 'Choose messages of fewer bytes than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l unread -d 'Choose unread messages'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l read -d 'Choose read messages'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l all -d 'Choose all messages'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l dry-run -d 'Print the header lines of the messages that would change, and change nothing'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l json -d 'Print the result as one JSON object'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l from -d 'Choose messages whose sender contains this text; /TEXT/ is a regular expression, here and below' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l to -d 'Choose messages that have this text in To, Cc or Bcc' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l subject -d 'Choose messages whose subject contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l body -d 'Choose messages whose decoded text contains this text' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l since -d 'Choose messages delivered on this day or later: 2026-11-30, yesterday, monday, 7d' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l before -d 'Choose messages delivered before this day' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l older-than -d 'Choose messages delivered longer ago than this: 30d, 12h or 8w' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l newer-than -d 'Choose messages delivered less long ago than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l larger-than -d 'Choose messages of more bytes than this: 500, 10K or 2M' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l smaller-than -d 'Choose messages of fewer bytes than this' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l read -d 'Mark them as read'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l unread -d 'Mark them as not read'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l flag -d 'Flag them'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l unflag -d 'Unflag them'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l answered -d 'Mark them as answered'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l unanswered -d 'Mark them as not answered'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l all -d 'Choose all messages'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l dry-run -d 'Print the header lines of the messages that would change, and change nothing'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l json -d 'Print the result as one JSON object'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand mark" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l subject -d 'Set the subject' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l cc -d 'Send a copy to these recipients' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l bcc -d 'Send a copy to these recipients, hidden from the others' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l from -d 'Set the sender in the From field and in the envelope' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l attach -d 'Attach this file' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l all -d 'Reply to the other recipients, too'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l quote -d 'Quote the message above the text'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l dry-run -d 'Print the message and its routes; send nothing'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l json -d 'Print the result as one JSON object on standard output'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand reply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l subject -d 'Set the subject' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l cc -d 'Send a copy to these recipients' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l bcc -d 'Send a copy to these recipients, hidden from the others' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l from -d 'Set the sender in the From field and in the envelope' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l attach -d 'Attach this file' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l file -d 'Read this mailbox instead of the system mailbox' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l user -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l as-attachment -d 'Attach the whole message, instead of adding its text to yours'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l no-attachments -d 'Leave out the attachments of the message'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l dry-run -d 'Print the message and its routes; send nothing'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l json -d 'Print the result as one JSON object on standard output'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand forward" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "list" -d 'List the messages that wait to be sent'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "show" -d 'Show one message of the outbox, its recipients and every reply'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "flush" -d 'Send the messages that wait'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "retry" -d 'Make messages due now, even if they are held or have failed'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "hold" -d 'Hold messages: nothing sends them until they are released'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "release" -d 'Release messages that are held'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "drop" -d 'Delete messages without sending them'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and not __fish_seen_subcommand_from list show flush retry hold release drop help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object a message'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -l raw -d 'Print the bytes exactly as they are in the outbox'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -s q -l quiet -d 'Try only what is due, and print only what somebody has to mend; for timers'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -l all -d 'Choose all messages of the outbox'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -l all -d 'Choose all messages of the outbox'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from hold" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -l all -d 'Choose all messages of the outbox'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from release" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l all -d 'Choose all messages of the outbox'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l failed -d 'Choose the messages that have failed'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the messages that wait to be sent'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one message of the outbox, its recipients and every reply'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Send the messages that wait'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "retry" -d 'Make messages due now, even if they are held or have failed'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "hold" -d 'Hold messages: nothing sends them until they are released'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "release" -d 'Release messages that are held'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "drop" -d 'Delete messages without sending them'
complete -c postrider -n "__fish_postrider_using_subcommand outbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l set -d 'Set a variable; noNAME unsets it' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l account -d 'Use this account of the configuration' -r -f
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l config -d 'Read this configuration file instead of the user\'s' -r -F
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l dry-run -d 'Print each message and its routes; send nothing'
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l json -d 'Print the result as one JSON object a message'
complete -c postrider -n "__fish_postrider_using_subcommand resend" -l no-system-rc -d 'Do not read the system\'s configuration files'
complete -c postrider -n "__fish_postrider_using_subcommand resend" -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c postrider -n "__fish_postrider_using_subcommand resend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand ses-password" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand install" -l prefix -d 'Install below this directory; /usr/local for root, ~/.local for others' -r -f -a "(__fish_complete_directories)"
complete -c postrider -n "__fish_postrider_using_subcommand install" -l user -d 'Install for yourself: below ~/.local, with units of your own and nothing in /etc'
complete -c postrider -n "__fish_postrider_using_subcommand install" -l mta -d 'Also install sendmail, mailq and newaliases, on a machine without an MTA'
complete -c postrider -n "__fish_postrider_using_subcommand install" -l dry-run -d 'Print what would be done, and change nothing'
complete -c postrider -n "__fish_postrider_using_subcommand install" -l uninstall -d 'Remove what was installed; files that were changed since are kept and named'
complete -c postrider -n "__fish_postrider_using_subcommand install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and not __fish_seen_subcommand_from man completion help" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and not __fish_seen_subcommand_from man completion help" -f -a "man" -d 'Print a manual page'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and not __fish_seen_subcommand_from man completion help" -f -a "completion" -d 'Print the completions of a command for a shell'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and not __fish_seen_subcommand_from man completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and __fish_seen_subcommand_from man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and __fish_seen_subcommand_from completion" -s h -l help -d 'Print help'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "man" -d 'Print a manual page'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "completion" -d 'Print the completions of a command for a shell'
complete -c postrider -n "__fish_postrider_using_subcommand generate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "send" -d 'Send a message read from standard input'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "read" -d 'Open the reader'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "list" -d 'List the messages of a mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "search" -d 'List the messages that a search finds'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "count" -d 'Print the number of messages'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "show" -d 'Show a message of a mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "extract" -d 'Write the attachments of a message into files'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "delete" -d 'Delete messages of a mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "mark" -d 'Mark messages of a mailbox'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "reply" -d 'Reply to a message, with a text read from standard input'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "forward" -d 'Forward a message, with a text of yours read from standard input'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "outbox" -d 'Look after the messages that wait to be sent'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "resend" -d 'Send unsent messages again'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "ses-password" -d 'Print the SMTP password of AWS SES'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "install" -d 'Install the program\'s names, manual pages, completions and units'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "generate" -d 'Print a manual page, or the completions of a shell'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "mailx" -d 'Take a mailx command line'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "sendmail" -d 'Take a sendmail command line'
complete -c postrider -n "__fish_postrider_using_subcommand help; and not __fish_seen_subcommand_from send read list search count show extract delete mark reply forward outbox resend ses-password install generate mailx sendmail help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "list" -d 'List the messages that wait to be sent'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "show" -d 'Show one message of the outbox, its recipients and every reply'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "flush" -d 'Send the messages that wait'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "retry" -d 'Make messages due now, even if they are held or have failed'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "hold" -d 'Hold messages: nothing sends them until they are released'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "release" -d 'Release messages that are held'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from outbox" -f -a "drop" -d 'Delete messages without sending them'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "man" -d 'Print a manual page'
complete -c postrider -n "__fish_postrider_using_subcommand help; and __fish_seen_subcommand_from generate" -f -a "completion" -d 'Print the completions of a command for a shell'
complete -c postrider -n "__fish_postrider_using_subcommand send" -a "(__fish_complete_users)"
