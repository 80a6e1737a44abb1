// path_create_directory: the directory itself is there already. [POSIX: mkdir]
#include "wasi.h"

void test(void) {
    expect(EXIST, path_create_directory(ROOT, PATH(".")));
    expect(EXIST, path_create_directory(ROOT, PATH("sub/..")));
}
