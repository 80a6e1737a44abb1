// path_create_directory: a slash behind the new name. [POSIX: mkdir, pathname resolution]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, path_create_directory(ROOT, PATH("new/")));
    holds(stat_of("new").filetype == DIRECTORY_TYPE);
}
