// path_filestat_set_times: MTIM_NOW takes the real clock's time, the other time stays. [POSIX: utimensat UTIME_NOW]
#include "wasi.h"

void test(void) {
    u64 before, second = 1000000000;
    expect(SUCCESS, clock_time_get(REALTIME, 1, &before));
    expect(SUCCESS, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 1000, 2000, ATIM | MTIM));
    expect(SUCCESS, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 0, 0, MTIM_NOW));
    filestat stat = stat_of("text.txt");
    holds(stat.atim == 1000);
    holds(stat.mtim > before - second && stat.mtim < before + 60 * second);
}
