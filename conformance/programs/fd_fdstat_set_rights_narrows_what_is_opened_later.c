// fd_fdstat_set_rights: what a directory may no longer pass on, no file opened below it has. [spec: fdstat rights_inheriting]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub"), file;
    fdstat stat;
    expect(SUCCESS, fd_fdstat_get(directory, &stat));
    expect(SUCCESS, fd_fdstat_set_rights(directory, stat.rights_base, FD_READ));
    expect(SUCCESS, path_open(directory, 0, PATH("inside.txt"), 0, FD_READ, 0, 0, &file));
    expect(SUCCESS, fd_fdstat_get(file, &stat));
    holds(stat.rights_base == FD_READ);
}
