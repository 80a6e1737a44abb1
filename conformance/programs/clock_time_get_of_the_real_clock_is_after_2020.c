// clock_time_get: the real clock counts nanoseconds since 1970. [spec: clockid realtime]
#include "wasi.h"

void test(void) {
    u64 time;
    expect(SUCCESS, clock_time_get(REALTIME, 1, &time));
    holds(time > 1577836800000000000ull);
}
