// fd_filestat_set_times: no flag, no change. [spec: fstflags]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_set_times(file, 1000 * SECOND, 2000 * SECOND, ATIM | MTIM));
    expect(SUCCESS, fd_filestat_set_times(file, 3000 * SECOND, 4000 * SECOND, 0));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 1000 * SECOND && stat.mtim == 2000 * SECOND);
}
