// fd_fdstat_get: the kind of a file and of a directory, and the flags given to the open. [spec: fdstat]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd file = opened_with("text.txt", 0, FILE_RIGHTS, APPEND);
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.filetype == REGULAR_FILE && stat.flags == APPEND);
    expect(SUCCESS, fd_fdstat_get(ROOT, &stat));
    holds(stat.filetype == DIRECTORY_TYPE && stat.flags == 0);
}
