// poll_oneoff: standard output and error take bytes at once. [official: poll_oneoff_stdio]
#include "wasi.h"

void test(void) {
    subscription in[] = {
        ready_for(1, FD_WRITE_EVENT, STDOUT), ready_for(2, FD_WRITE_EVENT, STDERR),
        clock_after(3, MONOTONIC, 60 * SECOND, 0),
    };
    event out[3];
    u32 n = poll(in, out, 3);
    holds(n <= 2);
    for (u32 i = 0; i < n; i++) holds(out[i].type == FD_WRITE_EVENT && out[i].error == SUCCESS);
}
