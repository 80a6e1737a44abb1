// fd_fdstat_get: a file opened for writing only shows no FD_READ. [official: path_open_read_write]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd file = opened_with("text.txt", 0, FD_WRITE, 0);
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds((stat.rights_base & FD_WRITE) && !(stat.rights_base & FD_READ));
}
