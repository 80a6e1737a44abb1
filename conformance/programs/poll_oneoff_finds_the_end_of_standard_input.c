// poll_oneoff: an input at its end is ready: a read does not wait. [POSIX: poll]
#include "wasi.h"

void test(void) {
    subscription in[] = {
        ready_for(1, FD_READ_EVENT, STDIN),
        clock_after(2, MONOTONIC, 10 * SECOND, 0),
    };
    event out[2];
    holds(poll(in, out, 2) == 1 && out[0].userdata == 1 && out[0].type == FD_READ_EVENT);
}
