// fd_filestat_set_times: a directory has times too. [POSIX: futimens]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd directory = opened_directory("sub");
    expect(SUCCESS, fd_filestat_set_times(directory, 1000 * SECOND, 2000 * SECOND, MTIM));
    expect(SUCCESS, fd_filestat_get(directory, &stat));
    holds(stat.mtim == 2000 * SECOND);
}
