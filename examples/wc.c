/* wc: counts lines, words and bytes.
 *
 *   wc [-lwc] [FILE]...          (`-`, or no file at all, is the standard input)
 *
 * Output, widths of the columns included, and exit status are GNU wc's in the C locale.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct counts { unsigned long long lines, words, bytes; };

static int show_lines, show_words, show_bytes;
static int width = 1;
static int failed;

static void write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) _exit(1);
        data += n;
        len -= (size_t)n;
    }
}

static void complain(const char *path)
{
    const char *why = strerror(errno);
    failed = 1;
    write_all(2, "wc: ", 4);
    write_all(2, path, strlen(path));
    write_all(2, ": ", 2);
    write_all(2, why, strlen(why));
    write_all(2, "\n", 1);
}

/* Appends a number, right-aligned in the common width, and a space before all but the first. */
static char *number(char *to, int is_first, unsigned long long value)
{
    char digits[24];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10); while (value /= 10);
    if (!is_first) *to++ = ' ';
    for (int pad = width - n; pad > 0; pad--) *to++ = ' ';
    while (n) *to++ = digits[--n];
    return to;
}

static void print(const struct counts *c, const char *name)
{
    char line[128], *end = line;
    if (show_lines) end = number(end, end == line, c->lines);
    if (show_words) end = number(end, end == line, c->words);
    if (show_bytes) end = number(end, end == line, c->bytes);
    if (name) *end++ = ' ';
    write_all(1, line, (size_t)(end - line));
    if (name) write_all(1, name, strlen(name));
    write_all(1, "\n", 1);
}

static void count(int fd, const char *path, struct counts *c)
{
    static char buffer[1 << 16];
    int in_word = 0;
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) complain(path);
        if (n <= 0) return;
        c->bytes += (unsigned long long)n;
        for (ssize_t k = 0; k < n; k++) {
            char b = buffer[k];
            int space = b == ' ' || (b >= '\t' && b <= '\r');
            c->lines += b == '\n';
            c->words += !space && !in_word;
            in_word = !space;
        }
    }
}

static void one_file(const char *path, struct counts *total)
{
    struct counts c = {0, 0, 0};
    int is_input = !path || !strcmp(path, "-");
    int fd = is_input ? 0 : open(path, O_RDONLY);
    if (fd < 0) {
        complain(path);
        return;
    }
    count(fd, is_input ? "standard input" : path, &c);
    if (!is_input) close(fd);
    print(&c, path);
    total->lines += c.lines;
    total->words += c.words;
    total->bytes += c.bytes;
}

/* The columns are as wide as the sum of all sizes, and at least 7 where a size is not known;
 * a single number stands alone, without any padding. */
static void choose_width(char **files, int n)
{
    unsigned long long total = 0;
    int least = 1;
    if (n == 1 && show_lines + show_words + show_bytes == 1) return;
    for (int k = 0; k < n; k++) {
        struct stat st;
        int is_input = !files[k] || !strcmp(files[k], "-");
        if (is_input ? fstat(0, &st) : stat(files[k], &st)) continue;
        if (S_ISREG(st.st_mode)) total += (unsigned long long)st.st_size;
        else least = 7;
    }
    for (; total >= 10; total /= 10) width++;
    if (width < least) width = least;
}

int main(int argc, char **argv)
{
    char **files = calloc((size_t)argc + 1, sizeof *files);
    int n = 0, only_files = 0;
    struct counts total = {0, 0, 0};
    if (!files) return 1;
    for (int k = 1; k < argc; k++) {
        char *arg = argv[k];
        if (only_files || arg[0] != '-' || !arg[1]) {
            files[n++] = arg;
        } else if (!strcmp(arg, "--")) {
            only_files = 1;
        } else {
            for (char *p = arg + 1; *p; p++) {
                if (*p == 'l') show_lines = 1;
                else if (*p == 'w') show_words = 1;
                else if (*p == 'c') show_bytes = 1;
                else {
                    static const char usage[] = "Usage: wc [-lwc] [FILE]...\n";
                    write_all(2, usage, sizeof usage - 1);
                    return 1;
                }
            }
        }
    }
    if (!(show_lines | show_words | show_bytes)) show_lines = show_words = show_bytes = 1;
    if (!n) n = 1; /* files[0] is NULL: the standard input, which is printed without a name */
    choose_width(files, n);
    for (int k = 0; k < n; k++) one_file(files[k], &total);
    if (n > 1) print(&total, "total");
    return failed;
}
