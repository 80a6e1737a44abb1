// path_unlink_file: directories go by path_remove_directory alone. [spec: path_unlink_file, ISDIR]
#include "wasi.h"

void test(void) {
    make_directory("d");
    expect_either(ISDIR, PERM, path_unlink_file(ROOT, PATH("d")));
    holds(stat_of("d").filetype == DIRECTORY_TYPE);
}
