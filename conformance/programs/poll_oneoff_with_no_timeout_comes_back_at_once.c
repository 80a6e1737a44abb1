// poll_oneoff: a relative timeout of 0. [spec: subscription_clock]
#include "wasi.h"

void test(void) {
    u64 start = now(MONOTONIC);
    subscription in = clock_after(1, MONOTONIC, 0, 0);
    event out;
    holds(poll(&in, &out, 1) == 1 && out.type == CLOCK);
    holds(now(MONOTONIC) - start < 5 * SECOND);
}
