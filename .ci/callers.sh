#!/bin/bash
# Debian's real cron, at and sudo call the program as /usr/sbin/sendmail, and the
# mail is in the mailbox: no MTA is there, so built-in delivery carries it. Mail of
# a plain user, who may not write to the spool, goes by the drop directory.
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
user_id=$(inside id -u "$USER_NAME")
spool=$root/var/mail
inside chown root:mail /var/mail
chmod 2775 "$spool"
rm -f "$spool/root" "$spool/$USER_NAME"

# The directories and the line of cron that contrib/README.md tells an admin to install.
contrib=$(dirname "$0")/../contrib
install -d -m 711 "$root/var/spool/postrider"
install -d -m 700 "$root/var/spool/postrider/outbox"
drop=$root/var/spool/postrider/drop
install -d -m 1733 "$drop"

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
# report is left to root. Nothing has emptied the directory yet, and the log tells it.
inside su - "$USER_NAME" -c 'sudo -n /bin/true' >"$base/sudo" 2>&1 || { cat "$base/sudo" >&2; fail "sudo does not run"; }
for _ in $(seq 300); do
    [ -z "$(find "$drop" -type f -perm 700)" ] || break
    sleep 0.1
done
[ -n "$(find "$drop" -type f -perm 700 -uid "$user_id")" ] || fail "sudo: the report is not left to root"
: >"$spool/root"
# sudo sends two reports of one run, and the second may come behind a flush.
for _ in $(seq 50); do
    inside postrider outbox flush -q || fail "outbox flush: exit $?"
    [ -n "$(ls -A "$drop")" ] || break
    sleep 0.1
done
arrived "$spool/root" "COMMAND=/.*bin/true" 5
grep -q "^From $USER_NAME" "$spool/root" || fail "sudo: the mail is not from its owner"
[ -z "$(ls -A "$drop")" ] || fail "the drop directory is not empty"
echo "  ok: sudo of a plain user: by the drop directory"

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

# A plain user may not write into a spool of mode 2775. cron was started with HOME=/root, which is not
# the user's. The mail is left to root, and root's flush, each minute by cron, delivers it.
install -m 644 "$contrib/cron/postrider" "$root/etc/cron.d/postrider"
for _ in $(seq $((CRON_LIMIT * 10))); do
    [ -z "$(find "$drop" -type f -perm 700)" ] || break
    sleep 0.1
done
left=$(date +%s)
[ -n "$(find "$drop" -type f -uid "$user_id")" ] || [ -e "$spool/$USER_NAME" ] || fail "the mail of a plain user is not left to root"
arrived "$spool/$USER_NAME" 'last of user' $CRON_LIMIT
took=$(($(date +%s) - left))
[ $took -le 75 ] || fail "the mail of a plain user took $took s"
mode=$(stat -c '%a %u' "$spool/$USER_NAME")
[ "$mode" = "660 $user_id" ] || fail "the mailbox has mode and owner $mode"
grep -q '^From: root (Cron Daemon)' "$spool/$USER_NAME" || fail "cron of a plain user: no From"
grep -q "^Sender: $USER_NAME" "$spool/$USER_NAME" || fail "the mail does not name its sender"
grep -q '^from-user$' "$spool/$USER_NAME" || fail "the mail is not whole"
echo "  ok: cron of a plain user, 2775: delivered after $took s"

# With a mailbox of one's own it arrives at once.
rm "$root/etc/cron.d/postrider"
: >"$spool/$USER_NAME"
inside chown "$USER_NAME:mail" "/var/mail/$USER_NAME"
arrived "$spool/$USER_NAME" 'last of user' $CRON_LIMIT
logged "to=$USER_NAME" 'outcome=accepted'
echo "  ok: cron of a plain user, mailbox there: delivered"
kill "$cron"

sed 's/^/  /' "$log"
inside mailx -n -H -f /var/mail/root >"$base/list" || fail "-H: exit $?"
grep -q 'Cron <root@' "$base/list" || { cat "$base/list" >&2; fail "-H: no mail of cron"; }
