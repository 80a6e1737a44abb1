// path_link: without SYMLINK_FOLLOW the new name is the link's own. [official: path_link]
#include "wasi.h"

void test(void) {
    make_symlink("text.txt", "link");
    expect(SUCCESS, path_link(ROOT, NOFOLLOW, PATH("link"), ROOT, PATH("other")));
    holds(stat_of("other").filetype == SYMBOLIC_LINK);
    holds(stat_of("other").ino == stat_of("link").ino);
}
