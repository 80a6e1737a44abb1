// fd_read: two descriptors of one file share its bytes and not the position. [POSIX: open file description]
#include "wasi.h"

void test(void) {
    char buf[8];
    fd reader = opened("new", CREAT | EXCL), writer = opened("new", 0);
    write_text(writer, "abc");
    holds(read_up_to(reader, buf, 8) == 3 && same(buf, "abc", 3));
    write_text(writer, "de");
    holds(read_up_to(reader, buf, 8) == 2 && same(buf, "de", 2));
}
