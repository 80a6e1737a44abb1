// path_open: two links that stay inside by themselves lead out together. [spec: sandbox]
#include "wasi.h"

void test(void) {
    fd file;
    make_directory("a");
    make_symlink(".", "here");
    make_symlink("..", "a/up");
    make_symlink("a/up/..", "out");
    make_symlink("here/..", "away");
    opened("a/up/text.txt", 0);
    u32 answer = path_open(ROOT, FOLLOW, PATH("out"), DIRECTORY, FD_READDIR, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("away/x"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
