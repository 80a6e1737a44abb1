// poll_oneoff: all that are over by then are events. [spec: poll_oneoff]
#include "wasi.h"

void test(void) {
    u64 deadline = now(MONOTONIC) + 10 * MILLISECOND;
    subscription in[] = {
        clock_after(1, MONOTONIC, deadline, ABSTIME), clock_after(2, MONOTONIC, deadline, ABSTIME),
    };
    event out[2];
    holds(poll(in, out, 2) == 2 && out[0].userdata + out[1].userdata == 3);
}
