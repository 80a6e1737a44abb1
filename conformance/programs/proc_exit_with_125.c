// proc_exit: 125 is the last code that every host passes on. [spec: proc_exit]
#include "wasi.h"

void test(void) {
    proc_exit(125);
}
