// proc_exit: codes from 126 up belong to the program too. [spec: exitcode, u32]
#include "wasi.h"

void test(void) {
    proc_exit(126);
}
