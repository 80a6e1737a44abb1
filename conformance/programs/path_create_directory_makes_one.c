// path_create_directory: the new directory is there, below another new one too. [POSIX: mkdir]
#include "wasi.h"

void test(void) {
    make_directory("d");
    make_directory("d/e");
    holds(stat_of("d").filetype == DIRECTORY_TYPE && stat_of("d/e").filetype == DIRECTORY_TYPE);
}
