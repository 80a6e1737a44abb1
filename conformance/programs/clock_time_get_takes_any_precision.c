// clock_time_get: the precision is a wish, no limit. [spec: clock_time_get]
#include "wasi.h"

void test(void) {
    u64 time;
    expect(SUCCESS, clock_time_get(MONOTONIC, 0, &time));
    expect(SUCCESS, clock_time_get(MONOTONIC, 1000000000, &time));
    expect(SUCCESS, clock_time_get(MONOTONIC, ~0ull, &time));
}
