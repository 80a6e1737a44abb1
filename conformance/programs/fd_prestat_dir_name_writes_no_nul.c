// fd_prestat_dir_name: in a larger buffer the bytes behind the name stay. [spec: fd_prestat_dir_name]
#include "wasi.h"

void test(void) {
    char name[8];
    fill(name, 0xAA, 8);
    expect(SUCCESS, fd_prestat_dir_name(ROOT, name, 8));
    holds(name[0] == '/' && filled(name + 1, 0xAA, 7));
}
