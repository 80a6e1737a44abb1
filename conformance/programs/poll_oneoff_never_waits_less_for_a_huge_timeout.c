// poll_oneoff: 2^64-1 nanoseconds do not wrap around; the shorter one ends the wait. [spec: timestamp]
#include "wasi.h"

void test(void) {
    subscription in[] = {
        clock_after(1, MONOTONIC, ~0ull, 0), clock_after(2, MONOTONIC, 10 * MILLISECOND, 0),
        clock_after(3, MONOTONIC, ~0ull, ABSTIME), clock_after(4, REALTIME, 1ull << 63, 0),
    };
    event out[4];
    holds(poll(in, out, 4) == 1 && out[0].userdata == 2);
}
