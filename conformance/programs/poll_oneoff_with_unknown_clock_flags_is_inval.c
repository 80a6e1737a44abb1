// poll_oneoff: subscription flags that are none. [ours]
#include "wasi.h"

void test(void) {
    subscription in = clock_after(1, MONOTONIC, MILLISECOND, 2);
    event out;
    u32 n;
    expect(INVAL, poll_oneoff(&in, &out, 1, &n));
}
