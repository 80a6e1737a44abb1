// path_open: with SYMLINK_FOLLOW a link leads to its target, over links on the way too. [POSIX: open]
#include "wasi.h"

void test(void) {
    char buf[4];
    fd file;
    make_symlink("sub", "way");
    make_symlink("way/inside.txt", "link");
    expect(SUCCESS, path_open(ROOT, FOLLOW, PATH("link"), 0, FD_READ, 0, 0, &file));
    holds(read_up_to(file, buf, 4) == 4 && same(buf, "insi", 4));
}
