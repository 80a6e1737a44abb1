// poll_oneoff: the first that is over ends the wait, wherever it stands. [spec: poll_oneoff]
#include "wasi.h"

void test(void) {
    u64 start = now(MONOTONIC);
    subscription in[] = {
        clock_after(1, MONOTONIC, 60 * SECOND, 0), clock_after(2, MONOTONIC, 10 * MILLISECOND, 0),
        clock_after(3, REALTIME, 50 * SECOND, 0),
    };
    event out[3];
    holds(poll(in, out, 3) == 1 && out[0].userdata == 2);
    holds(now(MONOTONIC) - start < 10 * SECOND);
}
