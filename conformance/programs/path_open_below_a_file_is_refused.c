// path_open: a descriptor that is no directory has nothing below it. [official: path_open_dirfd_not_dir]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0), other;
    expect_either(NOTDIR, NOTCAPABLE, path_open(file, 0, PATH("x"), 0, FD_READ, 0, 0, &other));
}
