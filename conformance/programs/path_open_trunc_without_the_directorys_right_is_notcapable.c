// path_open: TRUNC below a directory that lost PATH_FILESTAT_SET_SIZE. [official: truncation_rights]
#include "wasi.h"

void test(void) {
    fdstat stat;
    fd directory = opened_directory("sub"), file;
    expect(SUCCESS, fd_fdstat_get(directory, &stat));
    expect(SUCCESS, fd_fdstat_set_rights(directory, stat.rights_base & ~PATH_FILESTAT_SET_SIZE,
                                         stat.rights_inheriting));
    u32 answer = path_open(directory, 0, PATH("inside.txt"), TRUNC, FD_READ, 0, 0, &file);
    expect_either(NOTCAPABLE, PERM, answer);
    expect_content("sub/inside.txt", "inside\n");
}
