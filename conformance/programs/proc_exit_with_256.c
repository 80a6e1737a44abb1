// proc_exit: more than a process can tell, and never 0; a command line may cap it at 255. [ours]
#include "wasi.h"

void test(void) {
    proc_exit(256);
}
