// path_open: no path starts with a slash, even if its rest exists. [official: interesting_paths]
#include "wasi.h"

void test(void) {
    fd file;
    u32 answer = path_open(ROOT, FOLLOW, PATH("/text.txt"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("/"), DIRECTORY, FD_READDIR, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
    answer = path_open(ROOT, FOLLOW, PATH("//text.txt"), 0, FD_READ, 0, 0, &file);
    expect_either(PERM, NOTCAPABLE, answer);
}
