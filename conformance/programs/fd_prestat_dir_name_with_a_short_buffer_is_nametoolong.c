// fd_prestat_dir_name: a buffer that the name does not fit into; nothing is written. [official: dir_fd_op_failures]
#include "wasi.h"

void test(void) {
    char name[4];
    fill(name, 0xAA, 4);
    expect(NAMETOOLONG, fd_prestat_dir_name(ROOT, name, 0));
    holds(filled(name, 0xAA, 4));
}
