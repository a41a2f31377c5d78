#!/bin/bash
# Debian's real cron, at and sudo call the program as /usr/sbin/sendmail, and the
# mail is in the mailbox: no MTA is there, so built-in delivery carries it.
#
#   .ci/callers.sh PROGRAM
#
# Everything happens in a private root (.ci/root.sh).
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail

NAME=callers
HOST=db1.example.test
USER_NAME=tester
SUITE_LIMIT=400
# cron wakes at each full minute.
CRON_LIMIT=130

. "$(dirname "$0")/root.sh"
enter_root "$@"
install_packages cron at sudo

# No MTA but ours: one file under the names that a package would link to it.
rm -f "$root"/usr/{sbin,lib,bin}/sendmail "$root/usr/bin/mailx"
install -m 755 "$program" "$root/usr/bin/postrider"
ln -s ../bin/postrider "$root/usr/sbin/sendmail"
ln -s ../sbin/sendmail "$root/usr/lib/sendmail"
ln -s postrider "$root/usr/bin/mailx"
log=$root/var/log/postrider.log
install -m 666 /dev/null "$log"
echo 'set log=/var/log/postrider.log' >"$root/etc/postrider.rc"

make_user "$USER_NAME"
spool=$root/var/mail
inside chown root:mail /var/mail
chmod 2775 "$spool"
rm -f "$spool/root" "$spool/$USER_NAME"

# --- what is expected -----------------------------------------------------------
logged() { # TEXT...: one line of the log has all of these
    local lines
    lines=$(cat "$log")
    for text in "$@"; do
        lines=$(grep -F -- "$text" <<<"$lines") || fail "no line of the log has: $*"
    done
}

# --- at ---------------------------------------------------------------------------
mkdir -p "$root/var/spool/cron/atjobs" "$root/var/spool/cron/atspool"
inside atd || fail "atd does not start"
printf 'echo from-at; printf "caf\\303\\251\\n.\\n~q\\nlast of at\\n"\n' | inside at now >"$base/at" 2>&1 ||
    { cat "$base/at" >&2; fail "at does not take a job"; }
arrived "$spool/root" 'last of at' 30
grep -q 'Subject: Output from your job' "$spool/root" || fail "at: no subject"
grep -q '^from-at$' "$spool/root" || fail "at: the text is not whole"
logged 'to=root' 'outcome=accepted'
echo "  ok: at"

# --- sudo -------------------------------------------------------------------------
printf 'Defaults mail_always, mailto="root", mailerpath="/usr/sbin/sendmail"\n%s ALL=(ALL) NOPASSWD: /bin/true\n' \
    "$USER_NAME" >"$root/etc/sudoers.d/callers"
chmod 440 "$root/etc/sudoers.d/callers"
inside sudo -n /bin/true >"$base/sudo" 2>&1 || { cat "$base/sudo" >&2; fail "sudo does not run"; }
arrived "$spool/root" "COMMAND=/.*bin/true" 30
grep -q '^Auto-Submitted: auto-generated' "$spool/root" || fail "sudo: no Auto-Submitted"
echo "  ok: sudo"

# Debian's sudo runs the mailer as the user who called it, who may not write to root's mailbox: the
# report is kept with that user, and the log tells it.
kept=$root/home/$USER_NAME/dead.letter
inside su - "$USER_NAME" -c 'sudo -n /bin/true' >"$base/sudo" 2>&1 || { cat "$base/sudo" >&2; fail "sudo does not run"; }
arrived "$kept" "COMMAND=/.*bin/true" 30
logged "from=$USER_NAME" 'to=root' 'outcome=refused'
rm "$kept"
echo "  ok: sudo of a plain user: kept"

# --- cron: root, and a plain user ----------------------------------------------------
printf '* * * * * echo from-cron; printf "caf\\303\\251\\n.\\nlast of cron\\n"\n' | inside crontab - || fail "crontab refuses"
printf '* * * * * echo from-user; echo last of user\n' | inside crontab -u "$USER_NAME" - || fail "crontab refuses"
# The daemon in the foreground is ours to end; the namespace would end it as well.
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root \
    /usr/sbin/cron -f >"$base/cron.log" 2>&1 </dev/null &
cron=$!
arrived "$spool/root" 'last of cron' $CRON_LIMIT
grep -q '^Subject: Cron <root@' "$spool/root" || fail "cron: no subject"
grep -q '^Auto-Submitted: auto-generated' "$spool/root" || fail "cron: no Auto-Submitted"
grep -q '^from-cron$' "$spool/root" || fail "cron: the text is not whole"
echo "  ok: cron"

# A plain user may not write into a spool of mode 2775, unless the mailbox is
# there already and is the user's: the mail is not delivered, but kept whole, and the log tells it.
# cron gives the mailer no HOME of the user's; then the text is in /var/tmp/postrider-UID (D9).
logged_at_last() { for _ in $(seq $((CRON_LIMIT * 10))); do ! grep -q "to=$USER_NAME .*outcome=refused" "$log" || return 0; sleep 0.1; done; }
logged_at_last
for _ in $(seq 50); do
    kept=$(grep -rls 'last of user' "$root/home/$USER_NAME" "$root"/var/tmp/postrider-* 2>/dev/null | head -n 1) || :
    [ -z "$kept" ] || break
    sleep 0.1
done
[ -n "$kept" ] || fail "the mail of a plain user is not kept"
echo "  kept in ${kept#"$root"}"
[ ! -e "$spool/$USER_NAME" ] || fail "a plain user made a mailbox in the spool"
grep -q '^X-Postrider-Unsent-To: ' "$kept" || fail "the kept mail does not name its recipient"
grep -q '^from-user$' "$kept" || fail "the kept mail is not whole"
mode=$(stat -c '%a %u' "$kept")
[ "$mode" = "600 $(inside id -u "$USER_NAME")" ] || fail "the kept mail has mode and owner $mode"
logged "to=$USER_NAME" 'outcome=refused'
echo "  ok: cron of a plain user, 2775: kept"

# With a mailbox of one's own the mail arrives.
install -m 660 /dev/null "$spool/$USER_NAME"
inside chown "$USER_NAME:mail" "/var/mail/$USER_NAME"
arrived "$spool/$USER_NAME" 'last of user' $CRON_LIMIT
logged "to=$USER_NAME" 'outcome=accepted'
echo "  ok: cron of a plain user, mailbox there: delivered"
kill "$cron"

sed 's/^/  /' "$log"
inside mailx -n -H -f /var/mail/root >"$base/list" || fail "-H: exit $?"
grep -q 'Cron <root@' "$base/list" || { cat "$base/list" >&2; fail "-H: no mail of cron"; }
