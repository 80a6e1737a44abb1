// fd_filestat_set_times: only the time whose flag is given is set. [POSIX: futimens]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_set_times(file, 1000, 2000, ATIM | MTIM));
    expect(SUCCESS, fd_filestat_set_times(file, 3000, 4000, MTIM));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 1000 && stat.mtim == 4000);
    expect(SUCCESS, fd_filestat_set_times(file, 5000, 6000, ATIM));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 5000 && stat.mtim == 4000);
}
