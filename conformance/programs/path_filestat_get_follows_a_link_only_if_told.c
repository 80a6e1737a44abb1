// path_filestat_get: with SYMLINK_FOLLOW the target, without it the link. [POSIX: fstatat]
#include "wasi.h"

void test(void) {
    filestat stat;
    make_symlink("text.txt", "link");
    expect(SUCCESS, path_filestat_get(ROOT, FOLLOW, PATH("link"), &stat));
    holds(stat.filetype == REGULAR_FILE && stat.size == 13 && stat.ino == stat_of("text.txt").ino);
    expect(SUCCESS, path_filestat_get(ROOT, NOFOLLOW, PATH("link"), &stat));
    holds(stat.filetype == SYMBOLIC_LINK && stat.size == 8);
}
