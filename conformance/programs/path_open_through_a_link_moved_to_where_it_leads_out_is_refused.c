// path_open: a link that was harmless where it was made. [spec: sandbox]
#include "wasi.h"

void test(void) {
    fd file;
    make_directory("a");
    make_symlink("../text.txt", "a/link");
    expect(SUCCESS, path_open(ROOT, FOLLOW, PATH("a/link"), 0, FD_READ, 0, 0, &file));
    expect(SUCCESS, path_rename(ROOT, PATH("a/link"), ROOT, PATH("link")));
    u32 answer = path_open(ROOT, FOLLOW, PATH("link"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
