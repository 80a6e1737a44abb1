// proc_exit: a start function that returns ends the program with 0. [spec: application ABI, commands]
#include "wasi.h"

void test(void) {
    write_text(STDOUT, "done\n");
}
