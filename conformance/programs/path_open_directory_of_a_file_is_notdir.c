// path_open: DIRECTORY on what is none, and a path through a file. [POSIX: open]
#include "wasi.h"

void test(void) {
    fd file;
    expect(NOTDIR, path_open(ROOT, 0, PATH("text.txt"), DIRECTORY, FD_READ, 0, 0, &file));
    expect(NOTDIR, path_open(ROOT, 0, PATH("text.txt/x"), 0, FD_READ, 0, 0, &file));
}
