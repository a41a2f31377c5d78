/* measure RUNS STDIN STDOUT -- PROGRAM ARG...
 *
 * Runs a program that many times and prints on one line: CPU microseconds a run (user and system,
 * of the program and every child it waited for), the largest resident set of any of them in KiB,
 * the last exit status, and the microseconds that passed a run. With the word `terminal` for STDIN the program gets a terminal of its
 * own, 80 by 24, whose screen nobody looks at; what drawing costs the program is counted.
 *
 * A program of its own, and this small, since a child's peak memory counts from before its exec:
 * one started by an interpreter seems to need as much as the interpreter. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0600);
    if (fd < 0 || dup2(fd, to) < 0) {
        perror(path);
        _exit(126);
    }
    close(fd);
}

/* Makes the other end of this terminal the one of this process, and its three streams. */
static void take_terminal(int master)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    setsid();
    int fd = open(ptsname(master), O_RDWR);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0 || ioctl(fd, TIOCSWINSZ, &size) < 0) {
        perror("terminal");
        _exit(126);
    }
    for (int stream = 0; stream <= 2; stream++)
        dup2(fd, stream);
    close(fd);
    close(master);
}

int main(int argc, char **argv)
{
    if (argc < 6 || strcmp(argv[4], "--") != 0) {
        fprintf(stderr, "usage: %s RUNS STDIN STDOUT -- PROGRAM ARG...\n", argv[0]);
        return 64;
    }
    int runs = atoi(argv[1]), status = 0;
    double cpu = 0;
    long peak = 0;
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    int terminal = strcmp(argv[2], "terminal") == 0;
    for (int run = 0; run < runs; run++) {
        int master = terminal ? posix_openpt(O_RDWR | O_NOCTTY) : -1;
        if (terminal && (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)) {
            perror("terminal");
            return 71;
        }
        pid_t child = fork();
        if (child == 0) {
            if (terminal) {
                take_terminal(master);
            } else {
                redirect(argv[2], O_RDONLY, 0);
                redirect(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 1);
                redirect("/dev/null", O_WRONLY, 2);
            }
            execv(argv[5], argv + 5);
            perror(argv[5]);
            _exit(127);
        }
        char screen[1 << 16];
        while (terminal && read(master, screen, sizeof screen) > 0)
            ;
        if (terminal)
            close(master);
        struct rusage usage;
        if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
            perror("fork");
            return 71;
        }
        cpu += usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec;
        cpu += usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
        if (usage.ru_maxrss > peak)
            peak = usage.ru_maxrss;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double passed = (ended.tv_sec - began.tv_sec) * 1e6 + (ended.tv_nsec - began.tv_nsec) / 1e3;
    printf("%.1f %ld %d %.1f\n", cpu / runs, peak,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), passed / runs);
    return 0;
}
