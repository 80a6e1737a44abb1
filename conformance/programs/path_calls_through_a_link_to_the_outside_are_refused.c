// path_create_directory, path_filestat_get, path_filestat_set_times, path_link, path_readlink, path_remove_directory, path_rename, path_symlink, path_unlink_file: a link on the way never leads any call out. [spec: sandbox]
#include "wasi.h"

void test(void) {
    filestat stat;
    char buf[8];
    u32 n;
    make_symlink("..", "up");
    expect_either(PERM, NOTCAPABLE, path_create_directory(ROOT, PATH("up/new")));
    expect_either(PERM, NOTCAPABLE, path_filestat_get(ROOT, 0, PATH("up/x"), &stat));
    expect_either(PERM, NOTCAPABLE, path_filestat_set_times(ROOT, 0, PATH("up/x"), 1, 2, ATIM));
    expect_either(PERM, NOTCAPABLE, path_link(ROOT, 0, PATH("up/x"), ROOT, PATH("y")));
    expect_either(PERM, NOTCAPABLE, path_link(ROOT, 0, PATH("text.txt"), ROOT, PATH("up/y")));
    expect_either(PERM, NOTCAPABLE, path_readlink(ROOT, PATH("up/x"), buf, sizeof buf, &n));
    expect_either(PERM, NOTCAPABLE, path_remove_directory(ROOT, PATH("up/x")));
    expect_either(PERM, NOTCAPABLE, path_rename(ROOT, PATH("up/x"), ROOT, PATH("y")));
    expect_either(PERM, NOTCAPABLE, path_rename(ROOT, PATH("text.txt"), ROOT, PATH("up/y")));
    expect_either(PERM, NOTCAPABLE, path_symlink(PATH("text.txt"), ROOT, PATH("up/y")));
    expect_either(PERM, NOTCAPABLE, path_unlink_file(ROOT, PATH("up/x")));
}
