// path_open: TRUNC is a right of the directory, not of the new descriptor. [official: truncation_rights]
#include "wasi.h"

void test(void) {
    opened_with("text.txt", TRUNC, 0, 0);
    holds(stat_of("text.txt").size == 0);
}
