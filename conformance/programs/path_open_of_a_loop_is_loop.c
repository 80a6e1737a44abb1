// path_open: links that lead to each other, at the end and on the way. [official: symlink_loop]
#include "wasi.h"

void test(void) {
    fd file;
    make_symlink("b", "a");
    make_symlink("a", "b");
    expect(LOOP, path_open(ROOT, FOLLOW, PATH("a"), 0, FD_READ, 0, 0, &file));
    expect(LOOP, path_open(ROOT, FOLLOW, PATH("a/x"), 0, FD_READ, 0, 0, &file));
}
