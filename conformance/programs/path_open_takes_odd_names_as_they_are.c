// path_open: blanks, backslash, colon, percent, newline, accents are part of a name. [POSIX: pathname]
#include "wasi.h"

void test(void) {
    char buf[512];
    make_directory("d");
    make_file("d/ a\\b:c%2f\n", "");
    make_file("d/caf\xc3\xa9 \xf0\x9f\x98\x80", "");
    make_file("d/...", "");
    u32 used = list(opened_directory("d"), buf, sizeof buf, 0);
    holds(entry(buf, used, " a\\b:c%2f\n") && entry(buf, used, "..."));
    holds(entry(buf, used, "caf\xc3\xa9 \xf0\x9f\x98\x80"));
}
