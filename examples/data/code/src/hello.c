#include <stdio.h>

/* The first program, as ever. */
int main(void)
{
	puts("hello, world");
	return 0;
}
