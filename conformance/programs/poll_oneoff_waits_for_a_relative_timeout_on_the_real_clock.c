// poll_oneoff: a relative timeout on the real clock passes as on the other. [spec: subscription_clock]
#include "wasi.h"

void test(void) {
    u64 start = now(MONOTONIC);
    subscription in = clock_after(1, REALTIME, 20 * MILLISECOND, 0);
    event out;
    holds(poll(&in, &out, 1) == 1 && out.error == SUCCESS);
    holds(now(MONOTONIC) - start >= 19 * MILLISECOND);
}
