// path_rename: descriptors name files, not paths. [POSIX: rename]
#include "wasi.h"

void test(void) {
    char buf[8];
    fd file = opened("text.txt", 0), directory = opened_directory("sub"), other;
    expect(SUCCESS, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("sub/text")));
    expect(SUCCESS, path_rename(ROOT, PATH("sub"), ROOT, PATH("moved")));
    holds(read_up_to(file, buf, 5) == 5 && same(buf, "hello", 5));
    expect(SUCCESS, path_open(directory, 0, PATH("inside.txt"), 0, FD_READ, 0, 0, &other));
}
