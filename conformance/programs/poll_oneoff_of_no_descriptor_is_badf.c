// poll_oneoff: BADF for the call or in the event, and no wait. [spec: event error]
#include "wasi.h"

void test(void) {
    subscription in[] = {
        ready_for(1, FD_READ_EVENT, 99),
        clock_after(2, MONOTONIC, 60 * SECOND, 0),
    };
    event out[2];
    u32 n;
    u32 answer = poll_oneoff(in, out, 2, &n);
    if (answer == BADF) return;
    expect(SUCCESS, answer);
    holds(n == 1 && out[0].userdata == 1 && out[0].error == BADF);
}
