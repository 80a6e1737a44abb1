// path_open: a directory has no bytes to write. [POSIX: open; official: path_open_read_write]
#include "wasi.h"

void test(void) {
    fd file;
    expect(ISDIR, path_open(ROOT, 0, PATH("sub"), 0, FD_READ | FD_WRITE, 0, 0, &file));
}
