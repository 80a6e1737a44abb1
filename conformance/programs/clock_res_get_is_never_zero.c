// clock_res_get: the resolution of both clocks is positive. [spec: clock_res_get]
#include "wasi.h"

void test(void) {
    u64 resolution = 0;
    expect(SUCCESS, clock_res_get(REALTIME, &resolution));
    holds(resolution > 0);
    resolution = 0;
    expect(SUCCESS, clock_res_get(MONOTONIC, &resolution));
    holds(resolution > 0);
}
