/* hello_libc: what every first program does, with a C library around it: its start, a buffer for
 * standard output, and the arguments and environment where there are any. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : getenv("NAME");
    printf("hello %s\n", name ? name : "world");
    return 0;
}
