/* inject N WHAT LOG PROGRAM ARG...
 *
 * Runs a program and meddles with its Nth system call, counted over all its threads and children in
 * the order in which they are made: WHAT is `kill` (all of it is killed before the call is made), the
 * number of an error (the call is not made and fails with it), or 0 (nothing happens). A futex is made all
 * the same: no system fails it so, and a thread that is not woken waits for ever. LOG gets a line
 * for each call: its number in the kernel's table and its result, `?` for a call that did not return.
 *
 * strace counts for each thread and each kind of call by itself; so it cannot reach the calls of a
 * second thread which come later than the like ones of the first. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of another machine are not known here"
#endif

#define MOST 4096

static struct {
    pid_t of;
    long call, result;
    int has_returned;
} calls[MOST];

static void report(const char *path, long count)
{
    FILE *log = fopen(path, "w");
    if (!log)
        return;
    for (long number = 0; number < count && number < MOST; number++) {
        if (calls[number].has_returned)
            fprintf(log, "%ld %ld\n", calls[number].call, calls[number].result);
        else
            fprintf(log, "%ld ?\n", calls[number].call);
    }
    fclose(log);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: %s N WHAT LOG PROGRAM ARG...\n", argv[0]);
        return 64;
    }
    long wanted = atol(argv[1]), count = 0;
    int is_kill = strcmp(argv[2], "kill") == 0, error = is_kill ? 0 : atoi(argv[2]), status, last = 0;
    pid_t child = fork(), failing = 0;
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[4], argv + 4);
        perror(argv[4]);
        _exit(127);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC);
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    pid_t who;
    int has_started = 0;
    while ((who = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (who == child)
                last = status;
            continue;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            signal = 0;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof info, &info) > 0 && has_started) {
                struct user_regs_struct registers;
                if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                    if (count < MOST) {
                        calls[count].of = who;
                        calls[count].call = info.entry.nr;
                    }
                    if (++count == wanted && is_kill) {
                        kill(child, SIGKILL);
                        kill(who, SIGKILL);
                    } else if (count == wanted && error && info.entry.nr != SYS_futex) {
                        ptrace(PTRACE_GETREGS, who, 0, &registers);
                        registers.orig_rax = -1;
                        ptrace(PTRACE_SETREGS, who, 0, &registers);
                        failing = who;
                    }
                } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
                    long result = info.exit.rval;
                    if (who == failing) {
                        ptrace(PTRACE_GETREGS, who, 0, &registers);
                        registers.rax = -error;
                        ptrace(PTRACE_SETREGS, who, 0, &registers);
                        result = -error;
                        failing = 0;
                    }
                    for (long number = (count < MOST ? count : MOST) - 1; number >= 0; number--)
                        if (calls[number].of == who) {
                            calls[number].result = result;
                            calls[number].has_returned = 1;
                            break;
                        }
                }
            }
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            /* An event of ours, or a thread that starts: none of the program's signals. */
            has_started |= status >> 16 == PTRACE_EVENT_EXEC;
            signal = 0;
        }
        ptrace(PTRACE_SYSCALL, who, 0, signal);
    }
    report(argv[3], count);
    return WIFEXITED(last) ? WEXITSTATUS(last) : 128 + WTERMSIG(last);
}
