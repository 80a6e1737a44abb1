// fd_readdir: an empty directory has two entries, a full one all its names once. [official: fd_readdir]
#include "wasi.h"

void test(void) {
    char buf[512];
    make_directory("d");
    fd directory = opened_directory("d");
    u32 used = list(directory, buf, sizeof buf, 0);
    holds(used == 2 * sizeof(dirent) + 3 && entry(buf, used, ".") && entry(buf, used, ".."));
    holds(entry(buf, used, ".")->ino == stat_of("d").ino);
    holds(entry(buf, used, ".")->type == DIRECTORY_TYPE);
    make_file("d/a", "");
    make_directory("d/bc");
    used = list(directory, buf, sizeof buf, 0);
    holds(used == 4 * sizeof(dirent) + 6 && entry(buf, used, "a") && entry(buf, used, "bc"));
}
