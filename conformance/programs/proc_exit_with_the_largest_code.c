// proc_exit: 2^32-1, unsigned. [ours]
#include "wasi.h"

void test(void) {
    proc_exit(0xffffffff);
}
