// proc_exit: 0 is success; the call does not return (what stands behind it is `unreachable`). [spec: proc_exit]
#include "wasi.h"

void test(void) {
    write_text(STDOUT, "before\n");
    proc_exit(0);
}
