// path_symlink: a target that starts with a slash leads nowhere inside. [official: symlink_create]
#include "wasi.h"

void test(void) {
    filestat stat;
    holds(path_symlink(PATH("/text.txt"), ROOT, PATH("link")) != SUCCESS);
    expect(NOENT, path_filestat_get(ROOT, NOFOLLOW, PATH("link"), &stat));
}
