// clock_time_get: a clock that is none. [POSIX: clock_gettime]
#include "wasi.h"

void test(void) {
    u64 time;
    expect(INVAL, clock_time_get(4, 1, &time));
    expect(INVAL, clock_time_get(0xffffffff, 1, &time));
}
