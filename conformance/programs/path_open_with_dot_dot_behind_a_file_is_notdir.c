// path_open: dot-dot steps back from directories only; behind nothing it is NOENT. [POSIX: pathname resolution]
#include "wasi.h"

void test(void) {
    fd file;
    expect(NOTDIR, path_open(ROOT, 0, PATH("text.txt/../text.txt"), 0, FD_READ, 0, 0, &file));
    expect(NOENT, path_open(ROOT, 0, PATH("no/../text.txt"), 0, FD_READ, 0, 0, &file));
}
