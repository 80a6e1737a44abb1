// path_open: CREAT and EXCL on a file, a directory, a dangling link. [POSIX: open]
#include "wasi.h"

void test(void) {
    fd file;
    make_symlink("nowhere", "dangling");
    expect(EXIST, path_open(ROOT, 0, PATH("text.txt"), CREAT | EXCL, FILE_RIGHTS, 0, 0, &file));
    expect(EXIST, path_open(ROOT, 0, PATH("sub"), CREAT | EXCL, FD_READ, 0, 0, &file));
    expect(EXIST, path_open(ROOT, FOLLOW, PATH("dangling"), CREAT | EXCL, FD_READ, 0, 0, &file));
    expect_missing("nowhere");
}
