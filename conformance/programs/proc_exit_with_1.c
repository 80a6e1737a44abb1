// proc_exit: the code is the program's. [official: proc_exit-failure]
#include "wasi.h"

void test(void) {
    proc_exit(1);
}
