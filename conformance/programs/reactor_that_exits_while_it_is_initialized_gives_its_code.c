// proc_exit: in _initialize it ends the program before any function is called. [spec: proc_exit]
#define OWN_START
#include "wasi.h"

__attribute__((export_name("_initialize"))) void initialize(void) {
    proc_exit(9);
}

__attribute__((export_name("never"))) void never(void) {
    fail(HERE "called after proc_exit", ERRNO_COUNT);
}
