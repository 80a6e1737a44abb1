// path_open: CREAT through a link makes the target. [POSIX: open O_CREAT]
#include "wasi.h"

void test(void) {
    fd file;
    make_symlink("sub/new", "link");
    expect(SUCCESS, path_open(ROOT, FOLLOW, PATH("link"), CREAT, FILE_RIGHTS, 0, 0, &file));
    write_text(file, "abc");
    expect_content("sub/new", "abc");
}
