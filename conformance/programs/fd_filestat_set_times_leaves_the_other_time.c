// fd_filestat_set_times: only the time whose flag is given is set. [POSIX: futimens]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_set_times(file, 1000 * SECOND, 2000 * SECOND, ATIM | MTIM));
    expect(SUCCESS, fd_filestat_set_times(file, 3000 * SECOND, 4000 * SECOND, MTIM));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 1000 * SECOND && stat.mtim == 4000 * SECOND);
    expect(SUCCESS, fd_filestat_set_times(file, 5000 * SECOND, 6000 * SECOND, ATIM));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 5000 * SECOND && stat.mtim == 4000 * SECOND);
}
