// path_filestat_get: the link is there, its target is not. [official: dangling_symlink]
#include "wasi.h"

void test(void) {
    filestat stat;
    make_symlink("nowhere", "link");
    expect(NOENT, path_filestat_get(ROOT, FOLLOW, PATH("link"), &stat));
    expect(SUCCESS, path_filestat_get(ROOT, NOFOLLOW, PATH("link"), &stat));
    holds(stat.filetype == SYMBOLIC_LINK);
}
