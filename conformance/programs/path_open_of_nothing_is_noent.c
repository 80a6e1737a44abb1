// path_open: a name that is not there, also below a directory that is not. [official: path_open_missing]
#include "wasi.h"

void test(void) {
    fd file;
    expect(NOENT, path_open(ROOT, 0, PATH("no"), 0, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(ROOT, 0, PATH("no/no"), CREAT, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(ROOT, 0, PATH(""), 0, FD_READ, 0, 0, &file));
}
