// fd_filestat_set_times: ATIM_NOW and MTIM_NOW take the real clock's time, not the arguments. [POSIX: futimens UTIME_NOW]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    u64 before, second = 1000000000;
    expect(SUCCESS, clock_time_get(REALTIME, 1, &before));
    expect(SUCCESS, fd_filestat_set_times(file, 0, 0, ATIM_NOW | MTIM_NOW));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim > before - second && stat.atim < before + 60 * second);
    holds(stat.mtim > before - second && stat.mtim < before + 60 * second);
}
