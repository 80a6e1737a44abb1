// path_remove_directory: a path that ends in dot. [POSIX: rmdir]
#include "wasi.h"

void test(void) {
    make_directory("d");
    expect(INVAL, path_remove_directory(ROOT, PATH("d/.")));
    holds(stat_of("d").filetype == DIRECTORY_TYPE);
}
