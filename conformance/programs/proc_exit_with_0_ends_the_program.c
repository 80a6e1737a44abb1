// proc_exit: 0 is success, and nothing behind it runs. [spec: proc_exit]
#include "wasi.h"

void test(void) {
    write_text(STDOUT, "before\n");
    proc_exit(0);
    write_text(STDOUT, "after\n");
}
