// fd_fdstat_get: APPEND and NONBLOCK as they were given to path_open. [spec: fdstat]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd file = opened_with("text.txt", 0, FILE_RIGHTS, APPEND);
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.flags == APPEND);
    file = opened_with("text.txt", 0, FILE_RIGHTS, NONBLOCK);
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.flags == NONBLOCK);
}
