// path_remove_directory: a file, and a link to a directory. [POSIX: rmdir]
#include "wasi.h"

void test(void) {
    make_directory("d");
    make_symlink("d", "link");
    expect(NOTDIR, path_remove_directory(ROOT, PATH("text.txt")));
    expect(NOTDIR, path_remove_directory(ROOT, PATH("link")));
    holds(stat_of("d").filetype == DIRECTORY_TYPE && stat_of("link").filetype == SYMBOLIC_LINK);
}
