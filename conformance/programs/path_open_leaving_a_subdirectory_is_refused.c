// path_open: a directory opened below another is a sandbox of its own. [official: interesting_paths]
#include "wasi.h"

void test(void) {
    fd directory = opened_directory("sub"), file;
    u32 answer = path_open(directory, FOLLOW, PATH("../text.txt"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(directory, FOLLOW, PATH(".."), DIRECTORY, FD_READDIR, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
