// path_open: CREAT below a directory that lost PATH_CREATE_FILE. [spec: rights path_create_file]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd directory = opened_directory("sub"), file;
    expect(SUCCESS, fd_fdstat_get(directory, &stat));
    expect(SUCCESS, fd_fdstat_set_rights(directory, stat.rights_base & ~PATH_CREATE_FILE,
                                         stat.rights_inheriting));
    expect(NOTCAPABLE, path_open(directory, 0, PATH("new"), CREAT, FD_READ, 0, 0, &file));
    expect_missing("sub/new");
}
