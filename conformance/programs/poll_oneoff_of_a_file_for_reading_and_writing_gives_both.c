// poll_oneoff: two subscriptions of one descriptor are two events, also with one userdata. [POSIX: poll]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    subscription in[] = {ready_for(7, FD_READ_EVENT, file), ready_for(7, FD_WRITE_EVENT, file)};
    event out[2];
    holds(poll(in, out, 2) == 2 && out[0].userdata == 7 && out[1].userdata == 7);
    holds(out[0].type + out[1].type == FD_READ_EVENT + FD_WRITE_EVENT);
}
