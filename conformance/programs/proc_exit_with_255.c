// proc_exit: the largest code that a process can tell. [spec: exitcode, u32]
#include "wasi.h"

void test(void) {
    proc_exit(255);
}
