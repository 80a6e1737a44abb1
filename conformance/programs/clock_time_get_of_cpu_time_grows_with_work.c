// clock_time_get: the CPU-time clocks of process and thread grow while the program computes. [spec: clockid]
#include "wasi.h"

void test(void) {
    for (u32 id = PROCESS_CPUTIME_ID; id <= THREAD_CPUTIME_ID; id++) {
        u64 start, time;
        expect(SUCCESS, clock_time_get(id, 1, &start));
        do expect(SUCCESS, clock_time_get(id, 1, &time));
        while (time <= start);
    }
}
