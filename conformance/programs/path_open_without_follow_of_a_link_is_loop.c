// path_open: without SYMLINK_FOLLOW a link at the end is not opened. [official: nofollow_errors]
#include "wasi.h"

void test(void) {
    fd file;
    make_symlink("text.txt", "link");
    expect(LOOP, path_open(ROOT, NOFOLLOW, PATH("link"), 0, FD_READ, 0, 0, &file));
}
