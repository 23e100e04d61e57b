/* The process that holds a pod's namespaces: sleeps, reaps orphans, ends on a signal. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int number) { _exit(number == SIGINT || number == SIGTERM ? 0 : 1); }

static void reap(int number) {
    (void)number;
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
}

int main(void) {
    signal(SIGINT, leave);
    signal(SIGTERM, leave);
    signal(SIGCHLD, reap);
    for (;;) {
        pause();
    }
}
