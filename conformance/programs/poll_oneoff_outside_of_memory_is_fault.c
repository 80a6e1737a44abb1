// poll_oneoff: subscriptions, events, the count's place, and a count that memory cannot hold. [spec: errno fault]
#include "wasi.h"

void test(void) {
    subscription in = clock_after(1, MONOTONIC, 0, 0);
    event out;
    u32 n;
    expect(FAULT, poll_oneoff(NOWHERE, &out, 1, &n));
    expect(FAULT, poll_oneoff(&in, NOWHERE, 1, &n));
    expect(FAULT, poll_oneoff(&in, (event *)(MEMORY_END - 31), 1, &n));
    expect(FAULT, poll_oneoff(&in, &out, 1, NOWHERE));
    expect(FAULT, poll_oneoff(&in, &out, 0x5555556, &n));
}
