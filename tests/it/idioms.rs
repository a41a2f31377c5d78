//! The lines that scripts have, in the option dialects of s-nail, heirloom mailx, bsd-mailx, GNU
//! mail and AIX, each with what sendmail must get: every rule and every option.

use crate::case::Case;
use crate::lines::{BODY, Line, check};

fn line(text: &str) -> Line {
    Line::new(text)
}

#[test]
fn subjects() {
    let long = "word ".repeat(600) + "end";
    check([
        line("mail -s 'a b' u@x.org").to(["u@x.org"]).subject("a b"),
        line("mail -s\"glued on\" u@x.org")
            .to(["u@x.org"])
            .subject("glued on"),
        line("mailx -ins subj u@x.org")
            .to(["u@x.org"])
            .subject("subj"),
        line("mailx -s -v u@x.org").to(["u@x.org"]).subject("-v"),
        line("mailx -s -- u@x.org").to(["u@x.org"]).subject("--"),
        line("mailx -s '' u@x.org").to(["u@x.org"]),
        line("mailx --subject 'a b' u@x.org")
            .to(["u@x.org"])
            .subject("a b"),
        line("mailx --subject='a=b' u@x.org")
            .to(["u@x.org"])
            .subject("a=b"),
        line("mailx --subj=x u@x.org").to(["u@x.org"]).subject("x"),
        line("mailx -s 'Größe 90 €' u@x.org")
            .to(["u@x.org"])
            .subject("Größe 90 €"),
        line("mailx -s \"$(printf 'caf\\351')\" u@x.org")
            .to(["u@x.org"])
            .subject("café"),
        line("mailx -s \"$(printf 'a\\nBcc: evil@x.org')\" u@x.org")
            .to(["u@x.org"])
            .subject("a Bcc: evil@x.org")
            .without("Bcc")
            .warns("ubject"),
        line("mailx -s \"$S\" u@x.org")
            .with(|case| case.env("S", &long))
            .to(["u@x.org"])
            .subject(&long),
        line("mailx -s").refused(64, "-s"),
    ]);
}

#[test]
fn copies() {
    check([
        line("mail -s t -c c@x.org -c d@x.org u@x.org")
            .to(["u@x.org", "c@x.org", "d@x.org"])
            .field("Cc", "c@x.org, d@x.org"),
        line("mail -s t -c c@x.org,d@x.org u@x.org")
            .to(["u@x.org", "c@x.org", "d@x.org"])
            .field("Cc", "c@x.org, d@x.org"),
        line("mail -s t -b 'e@x.org f@x.org' u@x.org")
            .to(["u@x.org", "e@x.org", "f@x.org"])
            .field("To", "u@x.org")
            .without("Bcc"),
        line("mail -s t --cc=c@x.org --bcc e@x.org u@x.org")
            .to(["u@x.org", "c@x.org", "e@x.org"])
            .without("Bcc"),
        line("mail -s t -b e@x.org")
            .to(["e@x.org"])
            .field("To", "undisclosed-recipients:;"),
        line("mail -s t -c c@x.org")
            .to(["c@x.org"])
            .field("Cc", "c@x.org"),
        line("mailx -s t -T 'cc: c@x.org' -T 'bcc: e@x.org' u@x.org")
            .to(["u@x.org", "c@x.org", "e@x.org"])
            .field("Cc", "c@x.org"),
        line("mailx -s t --target='to: v@x.org' u@x.org").to(["u@x.org", "v@x.org"]),
    ]);
}

#[test]
fn r1_files_and_header_fields() {
    check([
        line("mailx -s t -a a.txt u@x.org")
            .file("a.txt", "content\n")
            .to(["u@x.org"])
            .attached("a.txt", b"content\n"),
        line("mailx -s t -a a.txt -a b.txt u@x.org")
            .file("a.txt", "a\n")
            .file("b.txt", "b\n")
            .to(["u@x.org"])
            .attached("a.txt", b"a\n")
            .attached("b.txt", b"b\n"),
        line("mailx -s t -aa.txt u@x.org")
            .file("a.txt", "content\n")
            .to(["u@x.org"])
            .attached("a.txt", b"content\n"),
        line("mail -a 'X-Priority: 1' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-Priority", "1"),
        line("mail -a 'X-A:b' -a 'X-C:\td' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b")
            .field("X-C", "d"),
        line("mail -a 'From: Night Shift <night@x.org>' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "Night Shift <night@x.org>"),
        line("mail -a From:night@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mail -a 'Reply-To: desk@x.org' -s t u@x.org")
            .to(["u@x.org"])
            .field("Reply-To", "desk@x.org"),
        line("mail -a 'Content-Type: text/html; charset=utf-8' -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/html; charset=utf-8"),
        line(
            "mail -a 'MIME-Version: 1.0' -a 'Content-Type: text/plain; charset=UTF-8' -s t u@x.org",
        )
        .to(["u@x.org"])
        .field("MIME-Version", "1.0"),
        line("mail -a 'To: v@x.org' -s t u@x.org").to(["u@x.org", "v@x.org"]),
        line("mail -a 'X-Odd: name' -s t u@x.org")
            .file("X-Odd: name", "a file\n")
            .to(["u@x.org"])
            .without("X-Odd")
            .attached("X-Odd: name", b"a file\n"),
        line("mail -a latin1.txt=iso-8859-1 -s t u@x.org")
            .file("latin1.txt", b"caf\xe9\n")
            .to(["u@x.org"])
            .attached("latin1.txt", b"caf\xe9\n"),
        line("mail -a nowhere.pdf -s t u@x.org")
            .refused(66, "nowhere.pdf")
            .kept(),
        line("mail -a \"$(printf 'X-A: b\\nBcc: evil@x.org')\" -s t u@x.org")
            .refused(65, "X-A")
            .kept(),
        line("mailx --header 'X-A: b' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b"),
        line("mailx -C 'X-A: b' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b"),
        line("mailx --custom-header='X-A: b' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b"),
        line("mail --append='X-A: b' -s t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b"),
        line("mail --append='X-A: b' --append='From: n@x.org' --subject=t u@x.org")
            .to(["u@x.org"])
            .field("X-A", "b")
            .sender("n@x.org", "n@x.org"),
        line("mailx --attach=a.txt -s t u@x.org")
            .file("a.txt", "content\n")
            .to(["u@x.org"])
            .attached("a.txt", b"content\n"),
    ]);
}

#[test]
fn r2_files_and_accounts() {
    check([
        line("mail -s t -A report.txt u@x.org")
            .file("report.txt", "report\n")
            .to(["u@x.org"])
            .attached("report.txt", b"report\n"),
        line("mail -s t u@x.org -A report.txt")
            .file("report.txt", "report\n")
            .to(["u@x.org"])
            .attached("report.txt", b"report\n"),
        line("mailx -A night -s t u@x.org")
            .rc("account night {\nset from=night@x.org\n}")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx --account=night -s t u@x.org")
            .rc("account night {\nset from=night@x.org\n}")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -A nothing -s t u@x.org").with(|case| case.fails().says("nothing").keeps(1)),
    ]);
}

#[test]
fn r3_senders() {
    check([
        line("mailx -r night@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -r 'Night <night@x.org>' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "Night <night@x.org>"),
        line("mailx -rnight@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx --from-address=night@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mail --return-address night@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mail -r bounce@x.org -a 'From: Night <night@x.org>' -s t u@x.org")
            .to(["u@x.org"])
            .sender("bounce@x.org", "Night <night@x.org>"),
        line("mailx -S from='Night <night@x.org>' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "Night <night@x.org>"),
        line("mailx -S from=day@x.org -r night@x.org -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -s t u@x.org").to(["u@x.org"]).without("From"),
        line("mailx -r -oQ/tmp -s t u@x.org")
            .refused(65, "-oQ/tmp")
            .kept(),
        line("mailx -f night@x.org -s t u@x.org")
            .refused(64, "-f")
            .hint("-r"),
    ]);
}

#[test]
fn r4_empty_bodies_and_commands() {
    check([
        line("mailx -E -s t u@x.org </dev/null"),
        line("mailx -Es t u@x.org </dev/null"),
        line("mailx --discard-empty-messages -s t u@x.org </dev/null"),
        line("printf '\\n' | mailx -E -s t u@x.org")
            .to(["u@x.org"])
            .body("\n"),
        line("mailx -E -s t u@x.org").to(["u@x.org"]),
        line("mailx -E -s t -a a.txt u@x.org </dev/null")
            .file("a.txt", "content\n")
            .to(["u@x.org"])
            .body("")
            .attached("a.txt", b"content\n"),
        line("mail -E 'set nonullbody' -s t u@x.org")
            .to(["u@x.org"])
            .subject("t"),
        line("mail -E'set from=night@x.org' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mail --exec='set from=night@x.org' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -X 'set from=night@x.org' -s t u@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -E subject@x.org -s t </dev/null"),
    ]);
}

#[test]
fn r5_and_r6_q_and_m() {
    check([
        line("mailx -q before.txt -s t u@x.org")
            .file("before.txt", "before\n")
            .to(["u@x.org"])
            .body("before\na line\n"),
        line("mail -q -s t u@x.org").to(["u@x.org"]).subject("t"),
        line("mail -qs t u@x.org").to(["u@x.org"]).subject("t"),
        line("mailx --quote-file=before.txt -s t u@x.org")
            .file("before.txt", "before\n")
            .to(["u@x.org"])
            .body("before\na line\n"),
        line("mailx -M text/html -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/html; charset=us-ascii"),
        line("mailx -Mtext/html -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/html; charset=us-ascii"),
        line("mailx -M html -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/html; charset=us-ascii"),
        line("mail -M -s t u@x.org").to(["u@x.org"]).subject("t"),
        line("mail -Ms t u@x.org").to(["u@x.org"]).subject("t"),
        line("mail --mime -s t u@x.org")
            .to(["u@x.org"])
            .subject("t"),
        line("mail --content-type=text/html --subject=t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/html; charset=us-ascii"),
        line("mailx -m page.html -s t u@x.org </dev/null")
            .file("page.html", "<html><p>x</p></html>\n")
            .to(["u@x.org"])
            .body("<html><p>x</p></html>\n")
            .field("Content-Type", "text/html; charset=us-ascii"),
        line("mail --content-type=text/csv --attach=a.dat -s t u@x.org")
            .file("a.dat", "a,b\n")
            .to(["u@x.org"])
            .attached("a.dat", b"a,b\n"),
        line("mail --content-name=b.csv --attach=a.dat -s t u@x.org")
            .file("a.dat", "a,b\n")
            .to(["u@x.org"])
            .attached("b.csv", b"a,b\n"),
        line("mail -s t --encoding=base64 u@x.org")
            .to(["u@x.org"])
            .field("Content-Transfer-Encoding", "base64"),
        line("mail -s t u@x.org --encoding Quoted-Printable")
            .to(["u@x.org"])
            .field("Content-Transfer-Encoding", "quoted-printable"),
        line("printf 'Gr\\303\\266\\303\\237e\\n' | mail -s t --encoding=7bit u@x.org")
            .to(["u@x.org"])
            .field("Content-Transfer-Encoding", "base64")
            .body("Größe\n"),
        line("mail -s t --encoding=rot13 u@x.org")
            .refused(65, "rot13")
            .hint("base64")
            .kept(),
        line("mail -s t --encoding=base64 --attach=a.dat --content-type=text/plain u@x.org")
            .file("a.dat", "a,b\n")
            .to(["u@x.org"])
            .attached("a.dat", b"a,b\n"),
        line("mail -s t --no-mime u@x.org")
            .to(["u@x.org"])
            .handed_on()
            .without("MIME-Version")
            .without("Content-Type")
            .body(BODY),
        line("mail -s t --no-mime --mime u@x.org")
            .to(["u@x.org"])
            .field("MIME-Version", "1.0"),
        line("printf 'Gr\\303\\266\\303\\237e\\n' | mail -s t --no-mime u@x.org")
            .to(["u@x.org"])
            .field("MIME-Version", "1.0")
            .body("Größe\n"),
        line("mail --batch-mode -s t u@x.org")
            .refused(64, "batch mode")
            .hint("-~"),
        line("mail -s t --skip-empty-attachments --attach=none --attach=some u@x.org")
            .file("none", "")
            .file("some", "content\n")
            .to(["u@x.org"])
            .attached("some", b"content\n"),
    ]);
}

#[test]
fn r7_double_dashes() {
    check([
        line("mailx -s t -- u@x.org v@x.org").to(["u@x.org", "v@x.org"]),
        line("mailx -s t -. u@x.org").to(["u@x.org"]),
        line("mailx -s t --end-options u@x.org").to(["u@x.org"]),
        line("mailx -s t -- -oQ/tmp").refused(65, "-oQ/tmp").kept(),
        line("mailx -s t u@x.org -- -f night@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -s t u@x.org -- -r night@x.org")
            .to(["u@x.org"])
            .sender("night@x.org", "night@x.org"),
        line("mailx -s t u@x.org -- -F 'Night Shift' -f night@x.org")
            .to(["u@x.org"])
            .options(["-i", "-f", "night@x.org", "-F", "Night Shift"]),
        line("mailx -s t u@x.org -- v@x.org").to(["u@x.org", "v@x.org"]),
        line("mailx -s t u@x.org -- -X/tmp/log")
            .refused(64, "-X/tmp/log")
            .hint("-f"),
    ]);
}

#[test]
fn r8_options_behind_operands() {
    check([
        line("mail u@x.org -s t").to(["u@x.org"]).subject("t"),
        line("mail -s t u@x.org -a a.txt")
            .file("a.txt", "content\n")
            .to(["u@x.org"])
            .attached("a.txt", b"content\n"),
        line("mail \"$recipient\" -s \"$subject\"")
            .with(|case| case.env("recipient", "u@x.org").env("subject", "a b"))
            .to(["u@x.org"])
            .subject("a b"),
        line("mail u@x.org -s t v@x.org").to(["u@x.org", "v@x.org"]),
        line("mail u@x.org -s v@x.org")
            .with(|case| {
                case.env("POSIXLY_CORRECT", "1")
                    .status(65)
                    .says("-s")
                    .keeps(1)
                    .may_change("mta")
            })
            .to(["u@x.org", "v@x.org"])
            .without("Subject"),
    ]);
}

#[test]
fn r9_and_r12_recipients() {
    check([
        line("mail -s t u@x.org,v@x.org")
            .to(["u@x.org", "v@x.org"])
            .field("To", "u@x.org, v@x.org"),
        line("mail -s t 'u@x.org, v@x.org'").to(["u@x.org", "v@x.org"]),
        line("mail -s t 'u@x.org v@x.org'").to(["u@x.org", "v@x.org"]),
        line("mail -s t 'u@x.org;v@x.org'").to(["u@x.org", "v@x.org"]),
        line("mail -s t u@x.org, v@x.org").to(["u@x.org", "v@x.org"]),
        line("mail -s t '\"Doe, Jane\" <jane@x.org>, bob@x.org'")
            .to(["jane@x.org", "bob@x.org"])
            .field("To", "\"Doe, Jane\" <jane@x.org>, bob@x.org"),
        line("mail -s t root").to(["root"]).field("To", "root"),
        line("mail -s t ops")
            .rc("alias ops u@x.org v@x.org")
            .to(["u@x.org", "v@x.org"])
            .field("To", "u@x.org, v@x.org"),
        line("mail -s t u@x.org u@x.org").to(["u@x.org"]),
        line("mail -s t ''").refused(65, "").kept(),
        line("mail -s t '|cat'").refused(65, "|cat").kept(),
        line("mail -s t /tmp/file").refused(65, "/tmp/file").kept(),
        line("mail -s t 'u@x.org,broken@@x'")
            .to(["u@x.org"])
            .with(|case| case.status(65).says("broken@@x").keeps(1)),
        line("mail -s t \"$(printf 'u@x.org\\nevil@x.org')\"")
            .with(|case| case.status(65).says("evil@x.org").keeps(1)),
    ]);
}

#[test]
fn r10_and_r11_bodies() {
    check([
        line("printf '~s stolen\\n~!touch stolen\\n.\\nlast\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .subject("t")
            .body("~s stolen\n~!touch stolen\n.\nlast\n"),
        line("printf 'one\\n.\\nlast\\n' | mail -s t u@x.org")
            .rc("set dot")
            .to(["u@x.org"])
            .body("one\n.\nlast\n"),
        line("printf 'one\\r\\ntwo\\r\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .body("one\ntwo\n"),
        line("printf 'no end' | mail -s t u@x.org")
            .to(["u@x.org"])
            .body("no end\n"),
        line("printf 'a\\0b\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .body("a\0b\n"),
        line("printf 'Gr\\303\\266\\303\\237e\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/plain; charset=utf-8")
            .body("Größe\n"),
        line("printf 'caf\\351\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .field("Content-Type", "text/plain; charset=windows-1252")
            .body(b"caf\xe9\n"),
        line("printf '\\033[31mred\\033[0m 10%%\\r20%%\\n' | mail -s t u@x.org")
            .to(["u@x.org"])
            .body("\x1b[31mred\x1b[0m 10%\r20%\n"),
        line("printf '~s typed\\ntext\\n' | mailx '-~' u@x.org")
            .to(["u@x.org"])
            .subject("typed")
            .body("text\n"),
        line("printf '~s typed\\ntext\\n' | mail -I u@x.org")
            .to(["u@x.org"])
            .subject("typed")
            .body("text\n"),
        line("mail -s t u@x.org </dev/null")
            .to(["u@x.org"])
            .body("")
            .with(|case| case.any_stderr()),
    ]);
}

#[test]
fn templates() {
    check([
        line("printf 'To: u@x.org\\nSubject: hi\\n\\na line\\n' | mailx -t")
            .to(["u@x.org"])
            .subject("hi"),
        line("printf 'To: u@x.org\\nCc: c@x.org\\nBcc: b@x.org\\n# comment\\nSubject: hi\\n\\na line\\n' | mailx -t v@x.org")
            .to(["u@x.org", "v@x.org", "c@x.org", "b@x.org"])
            .field("Cc", "c@x.org")
            .subject("hi")
            .without("Bcc"),
        line("printf 'To: u@x.org\\nSubject: Gr\\303\\266\\303\\237e\\n\\na line\\n' | mailx -t")
            .to(["u@x.org"])
            .subject("Größe"),
        line("printf 'To: u@x.org\\nFrom: n@x.org\\nX-A: b\\n\\na line\\n' | mailx --template")
            .to(["u@x.org"])
            .sender("n@x.org", "n@x.org")
            .field("X-A", "b"),
        line("printf 'To: u@x.org\\nMIME-Version: 1.0\\nContent-Type: text/html\\n\\na line\\n' | mail --to")
            .to(["u@x.org"])
            .field("MIME-Version", "1.0"),
        line("printf 'Subject: nobody\\n\\na line\\n' | mailx -t").refused(64, "recipient").kept(),
    ]);
}

#[test]
fn options_that_change_little() {
    check([
        line("mailx -i -n -N -s t u@x.org").to(["u@x.org"]),
        line("mailx -v -s t u@x.org")
            .to(["u@x.org"])
            .options(["-i", "-v"])
            .with(|case| case.any_stderr()),
        line("mailx -D -s t u@x.org").to(["u@x.org"]),
        line("mailx -B -s t u@x.org").to(["u@x.org"]),
        line("mailx -h 5 -s t u@x.org").to(["u@x.org"]),
        line("mailx -h5 -s t u@x.org").to(["u@x.org"]),
        line("mailx -:/ -S mta=\"${MAILRC%/rc}/mta/sendmail\" -S log=off -s t u@x.org")
            .to(["u@x.org"]),
        line("mailx -R -s t u@x.org").to(["u@x.org"]),
        line("mailx -s t -S noexpandaddr u@x.org").to(["u@x.org"]),
        line("mail --norc --ignore --nosum -s t u@x.org").to(["u@x.org"]),
        line("mailx --set=replyto=desk@x.org -s t u@x.org")
            .to(["u@x.org"])
            .field("Reply-To", "desk@x.org"),
        line("mailx --debug -s t u@x.org").with(|case| case.stderr_contains("a line")),
        line("mailx -d -s t u@x.org").with(|case| case.stderr_contains("a line")),
        line("mailx -s t -F u@x.org")
            .to(["u@x.org"])
            .with(|case| case.may_change("cwd/u")),
        line("mailx -s t -S record=sent u@x.org")
            .to(["u@x.org"])
            .with(|case| case.may_change("cwd/sent")),
        line("mailx -s t -T 'fcc: sent' u@x.org")
            .to(["u@x.org"])
            .with(|case| case.may_change("cwd/sent"))
            .without("Fcc"),
        line("mailx -s t --no-such u@x.org")
            .refused(64, "--no-such")
            .with(|case| case.hints("")),
        line("mailx -s t").refused(64, "recipient"),
        line("mailx -z u@x.org")
            .refused(64, "-z")
            .with(|case| case.any_stderr()),
    ]);
}

#[test]
fn copies_in_files_are_whole() {
    for (text, file) in [
        ("mailx -s t -F u@x.org", "cwd/u"),
        ("mailx -s t -S record=sent u@x.org", "cwd/sent"),
        ("mailx -s t -T 'fcc: sent' u@x.org", "cwd/sent"),
    ] {
        let ran = line(text)
            .to(["u@x.org"])
            .with(|case| case.may_change(file))
            .run();
        let copies = crate::letters::letters(&ran.read(file));
        assert_eq!(copies.len(), 1, "{text}");
        assert_eq!(copies[0].raw_body(), BODY.as_bytes(), "{text}");
        assert_eq!(copies[0].subject(), "t", "{text}");
    }
}

#[test]
fn what_is_asked_for_a_part_is_in_that_part() {
    let text =
        "mail -s t --alternative --encoding=base64 --content-type=text/html --attach=page u@x.org";
    let ran = Case::send([])
        .within(text)
        .file("cwd/page", "<p>a</p>\n")
        .stdin(BODY)
        .run();
    let letter = ran.call().letter();
    let content_type = letter.field("Content-Type");
    assert!(
        content_type.starts_with("multipart/alternative;"),
        "{content_type}"
    );
    let body = String::from_utf8_lossy(letter.raw_body()).into_owned();
    let fields = |first: &str| {
        let start = body
            .find(first)
            .unwrap_or_else(|| panic!("no {first} in\n{body}"));
        body[start..]
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        fields("Content-Type: text/plain").contains("Encoding: 7bit"),
        "{body}"
    );
    assert!(
        fields("Content-Type: text/html").contains("Encoding: base64"),
        "{body}"
    );
    assert!(body.contains(&format!("\n\n{BODY}\n--")), "{body}");
    assert!(body.contains("\n\nPHA+YTwvcD4K\n\n--"), "{body}");
    let ran = line("mail -s t --alternative --no-alternative --attach=page u@x.org")
        .file("page", "x\n")
        .to(["u@x.org"])
        .attached("page", b"x\n")
        .run();
    let content_type = ran.call().letter().field("Content-Type");
    assert!(
        content_type.starts_with("multipart/mixed;"),
        "{content_type}"
    );
}

#[test]
fn an_attachment_may_come_from_a_descriptor() {
    line("mail -s t --attach-fd=3 u@x.org 3<a.txt")
        .file("a.txt", "content\n")
        .to(["u@x.org"])
        .attached("3", b"content\n")
        .run();
}

#[test]
fn a_field_that_a_subject_smuggles_in_is_told_how_to_write_it() {
    let replaced = "control characters in the subject were replaced by a blank";
    for text in [
        "subj\\nContent-Type: text/html",
        "subj\\r\\nMIME-Version: 1.0\\r\\ncontent-type:text/HTML; charset=utf-8",
    ] {
        line(&format!("mailx -s \"$(printf '{text}')\" u@x.org"))
            .to(["u@x.org"])
            .warns(replaced)
            .hint("to send HTML, write -M text/html")
            .run();
    }
    line("mailx -s \"$(printf 'subj\\nX-Priority: 1')\" u@x.org")
        .to(["u@x.org"])
        .warns(replaced)
        .hint("--header 'Name: text'")
        .run();
    line("mailx -s \"$(printf 'subj\\nand more')\" u@x.org")
        .to(["u@x.org"])
        .warns(replaced)
        .run();
    // What the hint says was done already.
    line("mailx -M html -s \"$(printf 'subj\\nContent-Type: text/html')\" u@x.org")
        .to(["u@x.org"])
        .warns(replaced)
        .run();
}

#[test]
fn the_bare_m_of_hp_ux_took_the_next_option_for_a_file() {
    check([
        line("mailx -m -s subj u@x.org")
            .to(["u@x.org"])
            .subject("subj"),
        line("mailx -im -s subj u@x.org")
            .to(["u@x.org"])
            .subject("subj"),
        line("mailx -m --subject=subj u@x.org")
            .to(["u@x.org"])
            .subject("subj"),
        line("mailx -s subj -m -- u@x.org")
            .to(["u@x.org"])
            .subject("subj"),
        line("mailx -s subj -m text u@x.org")
            .to(["u@x.org"])
            .file("text", "of a file\n")
            .body("of a file\n"),
        line("mailx -m -s u@x.org")
            .to(["u@x.org"])
            .file("-s", "of a file\n")
            .body("of a file\n"),
        Line::new("mailx -s subj u@x.org -m").refused(64, "option -m needs a value"),
    ]);
}
