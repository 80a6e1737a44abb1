// path_create_directory: the new directory is there, empty, and a directory. [POSIX: mkdir]
#include "wasi.h"

void test(void) {
    char buf[64];
    make_directory("d");
    make_directory("d/e");
    holds(stat_of("d").filetype == DIRECTORY_TYPE && stat_of("d/e").filetype == DIRECTORY_TYPE);
    holds(list(opened_directory("d/e"), buf, sizeof buf, 0) == 2 * sizeof(dirent) + 3);
}
