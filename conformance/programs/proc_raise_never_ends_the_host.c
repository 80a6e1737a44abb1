// proc_raise: signal NONE and WINCH, which end no program, leave it running. [spec: signal none]
#include "wasi.h"

void test(void) {
    u32 answer = proc_raise(0);
    holds(answer == SUCCESS || answer == NOTSUP || answer == NOSYS);
    answer = proc_raise(27);
    holds(answer == SUCCESS || answer == NOTSUP || answer == NOSYS);
    write_text(STDOUT, "still here\n");
}
