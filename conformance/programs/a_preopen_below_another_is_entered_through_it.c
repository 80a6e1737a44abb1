// path_open, fd_readdir: a directory given below another is found on the way and listed there. [ours]
#include "wasi.h"

void test(void) {
    char buf[512];
    fd file;
    expect(SUCCESS, path_open(ROOT, 0, PATH("sub/m/mount.txt"), 0, FD_READ, 0, 0, &file));
    expect(SUCCESS, path_open(4, 0, PATH("mount.txt"), 0, FD_READ, 0, 0, &file));
    u32 used = list(opened_directory("sub"), buf, sizeof buf, 0);
    holds(entry(buf, used, "m") && entry(buf, used, "inside.txt"));
    opened("sub/m/../inside.txt", 0);
}
