// fd_filestat_set_times: a time both given and now; nothing is changed. [official: fstflags_validate]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_set_times(file, 1000 * SECOND, 2000 * SECOND, ATIM | MTIM));
    expect(INVAL, fd_filestat_set_times(file, 3000 * SECOND, 4000 * SECOND,
                                        ATIM | ATIM_NOW | MTIM));
    expect(INVAL, fd_filestat_set_times(file, 3000 * SECOND, 4000 * SECOND,
                                        ATIM | MTIM | MTIM_NOW));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 1000 * SECOND && stat.mtim == 2000 * SECOND);
}
