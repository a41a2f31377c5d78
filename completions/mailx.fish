# Install in /usr/share/fish/vendor_completions.d as mailx.fish, mail.fish, Mail.fish: it is found by the name of the command.
complete -c mailx -s s -l subject -d 'Set the subject' -r -f
complete -c mailx -s c -l cc -d 'Send a copy to these recipients' -r -f -a "(__fish_complete_users)"
complete -c mailx -s b -l bcc -d 'Send a copy to these recipients, hidden from the others' -r -f -a "(__fish_complete_users)"
complete -c mailx -s a -d 'Attach a file, or add a header field' -r -F
complete -c mailx -s A -d 'Attach a file, or use an account' -r -F
complete -c mailx -l attach -d 'Attach this file; - is standard input' -r -F
complete -c mailx -s C -l header -l append -d 'Add this header field, as `Name: text`' -r -f
complete -c mailx -s r -l from -d 'Set the sender in the From field and in the envelope' -r -f -a "(__fish_complete_users)"
complete -c mailx -s M -l content-type -d 'Set the Content-Type of the text, for example text/html' -r -f -a "text/plain\t''
text/html\t''"
complete -c mailx -l full-name -d 'Set the sender\'s full name' -r -f
complete -c mailx -s q -l quote-file -d 'Begin the text with the contents of this file' -r -F
complete -c mailx -s m -l body-file -d 'Take the text from this file instead of standard input, with the type of the file' -r -F
complete -c mailx -s T -l target -d 'Add to a field: `to: ADDRESS`, `cc: ADDRESS`, `bcc: ADDRESS` or `fcc: FILE`' -r -f
complete -c mailx -l attach-fd -d 'Attach the data that can be read from this file descriptor' -r -f
complete -c mailx -l content-name -l content-filename -d 'Give the next attachment this name' -r -f
complete -c mailx -l html -d 'Add this HTML file as an alternative form of the text; - is standard input' -r -F
complete -c mailx -l encoding -d 'Encode the text in base64 or quoted-printable' -r -f -a "base64\t''
quoted-printable\t''
7bit\t''
8bit\t''"
complete -c mailx -s f -l file -d 'Read this mailbox instead of the system mailbox; without a name, ~/mbox' -r -F
complete -c mailx -s u -l user -l inbox-of -d 'Read the system mailbox of this user' -r -f -a "(__fish_complete_users)"
complete -c mailx -s H -l headers -d 'Print the header summary and exit' -r -f
complete -c mailx -s L -l search -d 'Print the header summary of the messages in this list and exit; with -e, only set the exit status' -r -f
complete -c mailx -s Y -l cmd -d 'Execute this command after the mailbox is opened, before other commands are read' -r -f
complete -c mailx -l account -d 'Use this account of the configuration' -r -f
complete -c mailx -s S -l set -d 'Set a variable; -S noNAME unsets it' -r -f
complete -c mailx -s X -l command -l exec -l startup-cmd -d 'Execute this command of the configuration before anything else' -r -f
complete -c mailx -s : -l resource-files -d 'Read these configuration files: s the system\'s, u the user\'s, / none' -r -f -a "s\t''
u\t''
su\t''
/\t''"
complete -c mailx -s E -l discard-empty-messages -d 'Do not send a message without a body'
complete -c mailx -l dry-run -d 'Print the message and its routes; send nothing'
complete -c mailx -l json -d 'Print the result as one JSON object on standard output'
complete -c mailx -l explain -d 'Print the route of each recipient, the reasons, and the origin of each setting; send nothing'
complete -c mailx -s d -l debug -d 'Print the message and its routes on standard error; send nothing'
complete -c mailx -s '~' -s I -l enable-cmd-escapes -d 'Recognise tilde escapes even if standard input is not a terminal'
complete -c mailx -s t -l template -d 'Take header fields and recipients from standard input'
complete -c mailx -s F -l record-by-name -d 'Keep a copy in a file named after the first recipient'
complete -c mailx -l pre -d 'Also send the text as HTML in a fixed-width font, so that tables stay aligned'
complete -c mailx -l plain -d 'Remove terminal colours and overwritten progress lines from the text'
complete -c mailx -l strict-size -d 'Refuse a message that is too large, instead of leaving out attachments'
complete -c mailx -l skip-empty-attachments -d 'Leave out empty attachments'
complete -c mailx -l alternative -d 'Send the attachments as alternative forms of the text; a mail reader shows the last it supports'
complete -c mailx -l no-mime -d 'Leave out the MIME fields if the message is plain ASCII text that does not need them'
complete -c mailx -s e -l check -d 'Report by the exit status whether there is mail'
complete -c mailx -s p -l print -l read -d 'Print all messages and exit'
complete -c mailx -s N -l no-summary -d 'Do not print the header summary at the start'
complete -c mailx -s R -l read-only -d 'Open the mailbox read-only'
complete -c mailx -s n -l no-system-rc -l norc -d 'Do not read the system\'s configuration files'
complete -c mailx -s i -l ignore -d 'Ignore interrupts while a message is read from standard input'
complete -c mailx -s v -l verbose -d 'Report what is done, and show the dialogue with the relay'
complete -c mailx -s V -l version -d 'Print the version and exit'
complete -c mailx -s h -s '?' -l help -d 'Print this help and exit'
complete -c mailx -a "(__fish_complete_users)"
complete -c mail -w mailx
complete -c Mail -w mailx
