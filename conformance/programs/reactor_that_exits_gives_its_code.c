// proc_exit: in a function of a reactor it ends the program, and no function is called any more. [spec: proc_exit]
#define OWN_START
#include "wasi.h"

__attribute__((export_name("leave"))) void leave(void) {
    proc_exit(7);
}

__attribute__((export_name("never"))) void never(void) {
    fail(HERE "called after proc_exit", ERRNO_COUNT);
}
