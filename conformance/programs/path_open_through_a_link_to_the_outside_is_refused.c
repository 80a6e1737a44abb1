// path_open: a link whose target leads out, at the end and on the way. [official: dangling_symlink; spec: sandbox]
#include "wasi.h"

void test(void) {
    fd file;
    u32 answer;
    make_symlink("..", "up");
    make_symlink("../x", "out");
    make_symlink("sub/../..", "around");
    answer = path_open(ROOT, FOLLOW, PATH("up"), DIRECTORY, FD_READDIR, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("up/x"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("out"), CREAT, FILE_RIGHTS, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("around/x"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
