// clock_time_get: the monotonic clock never steps back. [spec: clockid monotonic]
#include "wasi.h"

void test(void) {
    u64 earlier = 0, time;
    for (u32 i = 0; i < 1000; i++) {
        expect(SUCCESS, clock_time_get(MONOTONIC, 0, &time));
        holds(time >= earlier);
        earlier = time;
    }
}
