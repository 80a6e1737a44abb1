// clock_time_get, clock_res_get: the result's 8 bytes must all be inside of memory. [spec: errno fault]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, clock_time_get(REALTIME, 1, (u64 *)(MEMORY_END - 8)));
    expect(FAULT, clock_time_get(REALTIME, 1, (u64 *)(MEMORY_END - 7)));
    expect(FAULT, clock_time_get(REALTIME, 1, (u64 *)0xffffffff));
    expect(FAULT, clock_res_get(REALTIME, (u64 *)MEMORY_END));
}
