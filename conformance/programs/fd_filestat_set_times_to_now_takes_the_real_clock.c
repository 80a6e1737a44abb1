// fd_filestat_set_times: ATIM_NOW and MTIM_NOW take the real clock's time, not the arguments. [POSIX: futimens UTIME_NOW]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    u64 before = now(REALTIME);
    expect(SUCCESS, fd_filestat_set_times(file, 0, 0, ATIM_NOW | MTIM_NOW));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim > before - SECOND && stat.atim < before + 60 * SECOND);
    holds(stat.mtim > before - SECOND && stat.mtim < before + 60 * SECOND);
}
