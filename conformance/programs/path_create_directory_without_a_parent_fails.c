// path_create_directory: below nothing NOENT, below a file NOTDIR, no name NOENT. [POSIX: mkdir]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_create_directory(ROOT, PATH("no/d")));
    expect(NOTDIR, path_create_directory(ROOT, PATH("text.txt/d")));
    expect(NOENT, path_create_directory(ROOT, PATH("")));
}
