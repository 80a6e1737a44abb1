// path_open: a file with a slash is NOTDIR, a directory opens, none is created. [official: interesting_paths; POSIX: open]
#include "wasi.h"

void test(void) {
    fd file;
    expect(NOTDIR, path_open(ROOT, 0, PATH("text.txt/"), 0, FD_READ, 0, 0, &file));
    expect(SUCCESS, path_open(ROOT, 0, PATH("sub/"), DIRECTORY, FD_READDIR, 0, 0, &file));
    expect(ISDIR, path_open(ROOT, 0, PATH("new/"), CREAT, FILE_RIGHTS, 0, 0, &file));
    expect_missing("new");
}
