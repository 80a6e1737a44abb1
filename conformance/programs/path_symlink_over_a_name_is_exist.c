// path_symlink: the new name is taken by a file, a directory, a dangling link. [POSIX: symlink]
#include "wasi.h"

void test(void) {
    make_symlink("nowhere", "dangling");
    expect(EXIST, path_symlink(PATH("x"), ROOT, PATH("text.txt")));
    expect(EXIST, path_symlink(PATH("x"), ROOT, PATH("sub")));
    expect(EXIST, path_symlink(PATH("x"), ROOT, PATH("dangling")));
    expect_content("text.txt", "hello, world\n");
}
