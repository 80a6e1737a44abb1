// fd_fdstat_get: the kind of a file and of a directory. [spec: fdstat]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.filetype == REGULAR_FILE);
    expect(SUCCESS, fd_fdstat_get(ROOT, &stat));
    holds(stat.filetype == DIRECTORY_TYPE);
}
