// fd_read: a descriptor opened in one call is there in the next, with its position. [spec: application ABI, reactors]
#define OWN_START
#include "wasi.h"

static fd file;

__attribute__((export_name("begin"))) void begin(void) {
    char buf[5];
    file = opened("text.txt", 0);
    holds(read_up_to(file, buf, 5) == 5 && same(buf, "hello", 5));
}

__attribute__((export_name("next"))) void next(void) {
    char buf[16];
    holds(read_up_to(file, buf, 16) == 8 && same(buf, ", world\n", 8));
}
