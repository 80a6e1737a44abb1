// fd_fdstat_set_rights: a right that is not there cannot be added. [official: fd_fdstat_set_rights]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    fdstat stat;
    expect(SUCCESS, fd_fdstat_set_rights(file, FD_READ, 0));
    expect(NOTCAPABLE, fd_fdstat_set_rights(file, FD_READ | FD_SEEK, 0));
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.rights_base == FD_READ);
}
