// path_link: a hard link to a link that leads out is such a link too, refused when it is followed. [spec: sandbox; POSIX: link]
#include "wasi.h"

void test(void) {
    fd file;
    make_symlink("../x", "out");
    expect(SUCCESS, path_link(ROOT, NOFOLLOW, PATH("out"), ROOT, PATH("other")));
    holds(stat_of("other").filetype == SYMBOLIC_LINK);
    u32 answer = path_open(ROOT, FOLLOW, PATH("other"), CREAT, FILE_RIGHTS, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
