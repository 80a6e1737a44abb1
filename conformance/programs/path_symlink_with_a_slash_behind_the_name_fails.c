// path_symlink: a slash asks for a directory that is not there, or is. [official: path_symlink_trailing_slashes]
#include "wasi.h"

void test(void) {
    expect_either(NOENT, NOTDIR, path_symlink(PATH("x"), ROOT, PATH("new/")));
    expect(EXIST, path_symlink(PATH("x"), ROOT, PATH("sub/")));
    u32 answer = path_symlink(PATH("x"), ROOT, PATH("text.txt/"));
    holds(answer == NOTDIR || answer == EXIST || answer == NOENT);
    expect_missing("new");
}
