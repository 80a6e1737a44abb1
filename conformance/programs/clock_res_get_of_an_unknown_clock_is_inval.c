// clock_res_get: a clock that is none. [spec: clock_res_get, INVAL]
#include "wasi.h"

void test(void) {
    u64 resolution;
    expect(INVAL, clock_res_get(4, &resolution));
    expect(INVAL, clock_res_get(0x7fffffff, &resolution));
    expect(INVAL, clock_res_get(0xffffffff, &resolution));
}
