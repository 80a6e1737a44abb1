// fd_readdir: d_ino is the file's ino. [official: fd_readdir]
#include "wasi.h"

void test(void) {
    char buf[512];
    make_directory("d");
    make_file("d/file", "");
    u32 used = list(opened_directory("d"), buf, sizeof buf, 0);
    holds(entry(buf, used, "file")->ino == stat_of("d/file").ino);
}
