// path_rename: a link as the source is moved, as the target replaced; what it names stays. [POSIX: rename]
#include "wasi.h"

void test(void) {
    make_symlink("text.txt", "link");
    make_file("new", "new");
    expect(SUCCESS, path_rename(ROOT, PATH("link"), ROOT, PATH("moved")));
    holds(stat_of("moved").filetype == SYMBOLIC_LINK);
    expect(SUCCESS, path_rename(ROOT, PATH("new"), ROOT, PATH("moved")));
    expect_content("moved", "new");
    expect_content("text.txt", "hello, world\n");
}
