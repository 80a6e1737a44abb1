// path_symlink: an empty target, an empty name. [POSIX: symlink]
#include "wasi.h"

void test(void) {
    expect(NOENT, path_symlink(PATH(""), ROOT, PATH("link")));
    expect(NOENT, path_symlink(PATH("x"), ROOT, PATH("")));
}
