// path_create_directory: the name of a directory, a file, a link. [POSIX: mkdir]
#include "wasi.h"

void test(void) {
    make_symlink("nowhere", "dangling");
    expect(EXIST, path_create_directory(ROOT, PATH("sub")));
    expect(EXIST, path_create_directory(ROOT, PATH("text.txt")));
    expect(EXIST, path_create_directory(ROOT, PATH("dangling")));
    expect_missing("nowhere");
}
