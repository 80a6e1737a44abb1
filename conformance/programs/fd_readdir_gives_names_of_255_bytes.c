// fd_readdir: the longest name there is comes whole. [POSIX: NAME_MAX]
#include "wasi.h"

void test(void) {
    char buf[512], path[258];
    fill(path, 'x', 257);
    path[0] = 'd', path[1] = '/', path[257] = 0;
    make_directory("d");
    make_file_(HERE, path, "");
    u32 used = list(opened_directory("d"), buf, sizeof buf, 0);
    holds(entry(buf, used, path + 2));
}
