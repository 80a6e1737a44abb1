// poll_oneoff: a socket is ready for reading when bytes are there, and not before. [POSIX: poll]
#include "wasi.h"

void test(void) {
    subscription in[] = {
        ready_for(1, FD_READ_EVENT, 3),
        clock_after(2, MONOTONIC, 10 * MILLISECOND, 0),
    };
    event out[2];
    holds(poll(in, out, 2) == 1 && out[0].userdata == 2);
    send_text(4, "abc");
    in[1] = clock_after(2, MONOTONIC, 60 * SECOND, 0);
    holds(poll(in, out, 2) == 1 && out[0].userdata == 1 && out[0].type == FD_READ_EVENT);
    holds(out[0].nbytes == 3 && !(out[0].flags & HANGUP));
}
