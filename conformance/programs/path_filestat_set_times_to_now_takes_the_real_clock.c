// path_filestat_set_times: MTIM_NOW takes the real clock's time, the other time stays. [POSIX: utimensat UTIME_NOW]
#include "wasi.h"

void test(void) {
    u64 before = now(REALTIME);
    expect(SUCCESS, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 1000 * SECOND,
                                            2000 * SECOND, ATIM | MTIM));
    expect(SUCCESS, path_filestat_set_times(ROOT, 0, PATH("text.txt"), 0, 0, MTIM_NOW));
    filestat stat = stat_of("text.txt");
    holds(stat.atim == 1000 * SECOND);
    holds(stat.mtim > before - SECOND && stat.mtim < before + 60 * SECOND);
}
