// fd_fdstat_set_flags: without APPEND a write goes to the position again. [official: fd_flags_set]
#include "wasi.h"

void test(void) {
    fd file = opened_with("text.txt", 0, FILE_RIGHTS, APPEND);
    expect(SUCCESS, fd_fdstat_set_flags(file, 0));
    write_text(file, "J");
    expect_content("text.txt", "Jello, world\n");
}
