// poll_oneoff: an absolute time that is over, on both clocks. [spec: subclockflags; POSIX: clock_nanosleep]
#include "wasi.h"

void test(void) {
    u64 start = now(MONOTONIC);
    event out;
    subscription in = clock_after(1, REALTIME, 1000, ABSTIME);
    holds(poll(&in, &out, 1) == 1 && out.error == SUCCESS);
    in = clock_after(1, MONOTONIC, 0, ABSTIME);
    holds(poll(&in, &out, 1) == 1 && out.error == SUCCESS);
    in = clock_after(1, MONOTONIC, start, ABSTIME);
    holds(poll(&in, &out, 1) == 1 && out.error == SUCCESS);
    holds(now(MONOTONIC) - start < 5 * SECOND);
}
