// path_open: in a directory without a name nothing is found and nothing made. [POSIX: open]
#include "wasi.h"

void test(void) {
    make_directory("d");
    fd directory = opened_directory("d"), file;
    expect(SUCCESS, path_remove_directory(ROOT, PATH("d")));
    expect(NOENT, path_open(directory, 0, PATH("x"), 0, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(directory, 0, PATH("x"), CREAT, FILE_RIGHTS, 0, 0, &file));
}
