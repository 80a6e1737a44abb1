// path_unlink_file, path_create_directory: a directory that may only be read. [spec: rights]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub");
    expect(SUCCESS, fd_fdstat_set_rights(directory, PATH_OPEN | FD_READDIR | PATH_FILESTAT_GET, 0));
    expect(NOTCAPABLE, path_unlink_file(directory, PATH("inside.txt")));
    expect(NOTCAPABLE, path_create_directory(directory, PATH("new")));
    expect_content("sub/inside.txt", "inside\n");
}
