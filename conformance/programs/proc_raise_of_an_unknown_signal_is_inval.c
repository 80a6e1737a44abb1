// proc_raise: a signal that is none. [POSIX: raise, INVAL; or NOTSUP]
#include "wasi.h"

void test(void) {
    u32 answer = proc_raise(31);
    holds(answer == INVAL || answer == NOTSUP || answer == NOSYS);
}
