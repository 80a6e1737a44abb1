/* grep: prints the lines that match a pattern, in files and whole trees.
 *
 *   grep [-rRnilLcvHhwxqsEF] [-e PATTERN] [PATTERN] [FILE]...
 *
 * Output and exit status (0 a line was selected, 1 none was, 2 an error) are GNU grep's in the
 * C locale; directories are walked in the order of their names. Patterns are basic (or, with -E,
 * extended) regular expressions without back-references.
 *
 * A pattern is compiled to a small program for a set of states that advances byte by byte
 * (Thompson 1968), so no pattern takes more than linear time. No stdio: printf alone would
 * double the size of this program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef unsigned char byte;

static int opt_r, opt_n, opt_i, opt_l, opt_L, opt_c, opt_v, opt_w, opt_x, opt_q, opt_s, opt_E, opt_F;
static int names = -1; /* -1: not decided by -H or -h */
static int had_error, had_match;

/* ---- output ---------------------------------------------------------------------------- */

static char out[1 << 16];
static size_t out_len;

static void write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0) {
            if (errno == EINTR) continue;
            _exit(2);
        }
        data += n;
        len -= (size_t)n;
    }
}

static void flush(void)
{
    write_all(1, out, out_len);
    out_len = 0;
}

static void put(const void *data, size_t len)
{
    if (len > sizeof out - out_len) flush();
    if (len > sizeof out) {
        write_all(1, data, len);
        return;
    }
    memcpy(out + out_len, data, len);
    out_len += len;
}

static void puts_out(const char *text) { put(text, strlen(text)); }

static void put_number(unsigned long long value)
{
    char digits[24], *p = digits + sizeof digits;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    put(p, (size_t)(digits + sizeof digits - p));
}

static void complain(const char *what, const char *why)
{
    flush();
    write_all(2, "grep: ", 6);
    write_all(2, what, strlen(what));
    if (why) {
        write_all(2, ": ", 2);
        write_all(2, why, strlen(why));
    }
    write_all(2, "\n", 1);
}

static _Noreturn void die(const char *what, const char *why)
{
    complain(what, why);
    exit(2);
}

static _Noreturn void usage(void)
{
    static const char text[] = "Usage: grep [-rnilLcvHhwxqsEF] [-e PATTERN] [PATTERN] [FILE]...\n";
    write_all(2, text, sizeof text - 1);
    exit(2);
}

static void file_error(const char *path)
{
    had_error = 1;
    if (!opt_s) complain(path, strerror(errno));
}

static void *grow(void *old, size_t size)
{
    void *p = realloc(old, size);
    if (!p) die("memory exhausted", NULL);
    return p;
}

/* ---- the pattern compiler --------------------------------------------------------------- */

enum op { CHAR, ANY, SET, SPLIT, JUMP, ACCEPT, LINE_START, LINE_END, WORD_EDGE, NO_EDGE, WORD_START, WORD_END };

/* x and y are relative, so a piece of program can be moved and copied as it is. */
struct ins { byte op, ch; short x, y; };

enum { MAX_PROGRAM = 8192, MAX_SETS = 256, MAX_REPEAT = 255 };
static struct ins program[MAX_PROGRAM];
static int length;
static byte sets[MAX_SETS][32];
static int set_count;
static const byte *pat, *pat_end;
static int depth; /* of open groups */

static int is_word(byte c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
static int is_blank(byte c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static byte lower(byte c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int emit(int op, byte ch)
{
    if (length == MAX_PROGRAM) die("regular expression too big", NULL);
    program[length] = (struct ins){(byte)op, ch, 0, 0};
    return length++;
}

static void insert_split(int at, int x, int y)
{
    emit(SPLIT, 0);
    memmove(program + at + 1, program + at, sizeof *program * (size_t)(length - 1 - at));
    program[at] = (struct ins){SPLIT, 0, (short)x, (short)y};
}

static byte *new_set(void)
{
    if (set_count == MAX_SETS) die("regular expression too big", NULL);
    emit(SET, (byte)set_count);
    return sets[set_count++];
}

static void add(byte *set, byte c) { set[c >> 3] |= (byte)(1 << (c & 7)); }
static int has(const byte *set, byte c) { return set[c >> 3] >> (c & 7) & 1; }

static void finish_set(byte *set, int negate)
{
    if (opt_i)
        for (int c = 'a'; c <= 'z'; c++)
            if (has(set, (byte)c) || has(set, (byte)(c - 32))) add(set, (byte)c), add(set, (byte)(c - 32));
    if (negate)
        for (int k = 0; k < 32; k++) set[k] = (byte)~set[k];
}

static int class_holds(const char *name, size_t len, byte c)
{
    int digit = c >= '0' && c <= '9', up = c >= 'A' && c <= 'Z', low = c >= 'a' && c <= 'z';
    int printable = c > 31 && c < 127;
#define IS(text) (len == sizeof text - 1 && !memcmp(name, text, len))
    if (IS("alpha")) return up || low;
    if (IS("digit")) return digit;
    if (IS("alnum")) return up || low || digit;
    if (IS("upper")) return up;
    if (IS("lower")) return low;
    if (IS("space")) return is_blank(c);
    if (IS("blank")) return c == ' ' || c == '\t';
    if (IS("punct")) return printable && c != ' ' && !(up || low || digit);
    if (IS("print")) return printable;
    if (IS("graph")) return printable && c != ' ';
    if (IS("cntrl")) return c < 32 || c == 127;
    if (IS("xdigit")) return digit || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
#undef IS
    die("invalid character class", NULL);
}

static void bracket(void)
{
    byte *set = new_set();
    int negate = pat < pat_end && *pat == '^';
    if (negate) pat++;
    for (int first = 1;; first = 0) {
        if (pat == pat_end) die("Unmatched [, [^, [:, [., or [=", NULL);
        byte c = *pat++;
        if (c == ']' && !first) break;
        if (c == '[' && pat < pat_end && *pat == ':') {
            const byte *name = ++pat;
            while (pat + 1 < pat_end && !(pat[0] == ':' && pat[1] == ']')) pat++;
            if (pat + 1 >= pat_end) die("Unmatched [, [^, [:, [., or [=", NULL);
            for (int k = 0; k < 256; k++)
                if (class_holds((const char *)name, (size_t)(pat - name), (byte)k)) add(set, (byte)k);
            pat += 2;
        } else if (pat + 1 < pat_end && pat[0] == '-' && pat[1] != ']') {
            byte last = pat[1];
            pat += 2;
            if (last < c) die("Invalid range end", NULL);
            for (int k = c; k <= last; k++) add(set, (byte)k);
        } else {
            add(set, c);
        }
    }
    finish_set(set, negate);
}

static void escaped_set(byte kind)
{
    byte *set = new_set();
    for (int c = 0; c < 256; c++)
        if (lower(kind) == 'w' ? is_word((byte)c) : is_blank((byte)c)) add(set, (byte)c);
    finish_set(set, kind == 'W' || kind == 'S');
}

/* Is the operator `op` next? In a basic expression ( ) { } | + ? are written with a backslash. */
static int next_is(char op)
{
    if (opt_E) return pat < pat_end && *pat == (byte)op;
    return pat + 1 < pat_end && pat[0] == '\\' && pat[1] == (byte)op;
}

static void skip_operator(void) { pat += opt_E ? 1 : 2; }

static void alternatives(void);

static void literal(byte c) { emit(CHAR, opt_i ? lower(c) : c); }

/* One thing a repetition can follow. Answers 0 for an assertion, which `*` does not repeat. */
static int atom(int at_start)
{
    if (next_is('(')) {
        skip_operator();
        depth++;
        alternatives();
        if (!next_is(')')) die("Unmatched ( or \\(", NULL);
        skip_operator();
        depth--;
        return 1;
    }
    byte c = *pat++;
    if (c == '\\') {
        if (pat == pat_end) die("Trailing backslash", NULL);
        c = *pat++;
        switch (c) {
        case 'w': case 'W': case 's': case 'S': escaped_set(c); return 1;
        case 'b': emit(WORD_EDGE, 0); return 0;
        case 'B': emit(NO_EDGE, 0); return 0;
        case '<': emit(WORD_START, 0); return 0;
        case '>': emit(WORD_END, 0); return 0;
        }
        if (c >= '1' && c <= '9') die("back-references are not supported", NULL);
        literal(c);
        return 1;
    }
    if (c == '.') return emit(ANY, 0), 1;
    if (c == '[') return bracket(), 1;
    if (c == '^' && (opt_E || at_start)) return emit(LINE_START, 0), 0;
    if (c == '$' && (opt_E || pat == pat_end || next_is('|') || (depth && next_is(')'))))
        return emit(LINE_END, 0), 0;
    literal(c);
    return 1;
}

static int number(void)
{
    int n = -1;
    for (; pat < pat_end && *pat >= '0' && *pat <= '9'; pat++) {
        n = (n < 0 ? 0 : n) * 10 + *pat - '0';
        if (n > MAX_REPEAT) die("Regular expression too big", NULL);
    }
    return n;
}

static void repeat_piece(int start, int least, int most)
{
    int len = length - start;
    struct ins *piece = grow(NULL, sizeof *piece * (size_t)(len + 1));
    memcpy(piece, program + start, sizeof *piece * (size_t)len);
    length = start;
    for (int k = 0; k < least || k < most || (most < 0 && k == least); k++) {
        int at = length;
        for (int j = 0; j < len; j++) program[emit(0, 0)] = piece[j];
        if (k < least) continue;
        insert_split(at, 1, most < 0 ? len + 2 : len + 1);
        if (most < 0) program[emit(JUMP, 0)].x = (short)-(len + 1);
    }
    free(piece);
}

static void interval(int start)
{
    int least = number(), most = least;
    if (pat < pat_end && *pat == ',') {
        pat++;
        most = number();
        if (least < 0) least = 0;
    }
    if (least < 0 || !next_is('}') || (most >= 0 && most < least)) die("Invalid content of \\{\\}", NULL);
    skip_operator();
    repeat_piece(start, least, most);
}

static void branch(void)
{
    int can_repeat = 0, at_start = 1;
    int start = length;
    while (pat < pat_end && !next_is('|') && !(next_is(')') && (depth || !opt_E))) {
        if (next_is(')')) die("Unmatched ) or \\)", NULL);
        if (can_repeat) {
            if (*pat == '*') { pat++; repeat_piece(start, 0, -1); continue; }
            if (next_is('+')) { skip_operator(); repeat_piece(start, 1, -1); continue; }
            if (next_is('?')) { skip_operator(); repeat_piece(start, 0, 1); continue; }
            if (next_is('{')) { skip_operator(); interval(start); continue; }
        }
        start = length;
        can_repeat = atom(at_start);
        at_start = 0;
    }
}

static void alternatives(void)
{
    int start = length;
    branch();
    if (!next_is('|')) return;
    skip_operator();
    insert_split(start, 1, 0);
    int jump = emit(JUMP, 0);
    program[start].y = (short)(length - start);
    alternatives();
    program[jump].x = (short)(length - jump);
}

/* Appends one pattern as a further alternative of the whole program. */
static void compile(const byte *text, size_t len, int is_last)
{
    int start = length;
    pat = text;
    pat_end = text + len;
    if (opt_F)
        while (pat < pat_end) literal(*pat++);
    else
        alternatives();
    if (pat < pat_end) die("Unmatched ) or \\)", NULL);
    emit(ACCEPT, 0);
    if (!is_last) insert_split(start, 1, length - start + 1);
}

/* ---- the matcher ------------------------------------------------------------------------ */

static short now[MAX_PROGRAM], next[MAX_PROGRAM], pending[2 * MAX_PROGRAM];
static unsigned seen[MAX_PROGRAM], generation;
static const byte *line;
static size_t line_len;

static int word_before(size_t at) { return at > 0 && is_word(line[at - 1]); }
static int word_after(size_t at) { return at < line_len && is_word(line[at]); }
static int holds(int op, size_t at)
{
    int before = word_before(at), after = word_after(at);
    switch (op) {
    case LINE_START: return at == 0;
    case LINE_END: return at == line_len;
    case WORD_EDGE: return before != after;
    case NO_EDGE: return before == after;
    case WORD_START: return !before && after;
    default: return before && !after;
    }
}

/* Adds the states reachable from `state` without reading a byte; answers 1 on acceptance. */
static int reach(short *list, int *count, int state, size_t at)
{
    int top = 0;
    pending[top++] = (short)state;
    while (top) {
        int pc = pending[--top];
        if (seen[pc] == generation) continue;
        seen[pc] = generation;
        struct ins *i = &program[pc];
        switch (i->op) {
        case CHAR: case ANY: case SET: list[(*count)++] = (short)pc; break;
        case JUMP: pending[top++] = (short)(pc + i->x); break;
        case SPLIT:
            pending[top++] = (short)(pc + i->y);
            pending[top++] = (short)(pc + i->x);
            break;
        case ACCEPT:
            if ((!opt_x || at == line_len) && (!opt_w || !word_after(at))) return 1;
            break;
        default:
            if (holds(i->op, at)) pending[top++] = (short)(pc + 1);
        }
    }
    return 0;
}

static int matches(const byte *text, size_t len)
{
    short *current = now, *following = next;
    int count = 0;
    line = text;
    line_len = len;
    generation++;
    for (size_t at = 0;; at++) {
        if ((at == 0 || !opt_x) && (!opt_w || !word_before(at)) && reach(current, &count, 0, at)) return 1;
        if (at == len) return 0;
        byte c = text[at], folded = opt_i ? lower(c) : c;
        int n = 0;
        generation++;
        for (int k = 0; k < count; k++) {
            struct ins *i = &program[current[k]];
            int ok = i->op == ANY || (i->op == CHAR ? i->ch == folded : has(sets[i->ch], c));
            if (ok && reach(following, &n, current[k] + 1, at + 1)) return 1;
        }
        short *swap = current;
        current = following;
        following = swap;
        count = n;
    }
}

/* The plain text of the only pattern, where the whole search can be memmem; else NULL. */
static const byte *plain;
static size_t plain_len;

static void find_plain(const byte *text, size_t len)
{
    if (opt_i || opt_w || opt_x) return;
    for (size_t k = 0; k < len; k++)
        if (!opt_F && strchr("\\.[]*^$+?{}|()", text[k])) return;
    plain = text;
    plain_len = len;
}

static int selected(const byte *text, size_t len)
{
    int found = plain ? memmem(text, len, plain, plain_len) != NULL : matches(text, len);
    return found != opt_v;
}

/* ---- files ------------------------------------------------------------------------------ */

static void put_name(const char *path, char after)
{
    puts_out(path);
    put(&after, 1);
}

struct search {
    const char *path;
    unsigned long long line_no, count;
    int with_name, binary, done;
};

static void one_line(struct search *s, const byte *text, size_t len)
{
    s->line_no++;
    if (!selected(text, len)) return;
    s->count++;
    had_match = 1;
    if (opt_q || opt_l || opt_L || (s->binary && !opt_c)) {
        s->done = 1;
        return;
    }
    if (opt_c) return;
    if (s->with_name) put_name(s->path, ':');
    if (opt_n) {
        put_number(s->line_no);
        put(":", 1);
    }
    put(text, len);
    put("\n", 1);
}

static void report(struct search *s)
{
    if (opt_q) {
        if (s->count) exit(0);
        return;
    }
    if (opt_c) {
        if (s->with_name) put_name(s->path, ':');
        put_number(s->count);
        put("\n", 1);
    }
    if ((opt_l && s->count) || (opt_L && !s->count)) put_name(s->path, '\n');
    if (s->binary && s->done && !(opt_c || opt_l || opt_L)) {
        puts_out("grep: ");
        puts_out(s->path);
        puts_out(": binary file matches\n");
    }
}

static void search_fd(int fd, const char *path, int with_name)
{
    static byte *buffer;
    static size_t room;
    struct search s = {path, 0, 0, with_name, 0, 0};
    size_t have = 0;
    for (;;) {
        if (room - have < 65536) buffer = grow(buffer, room = room * 2 + (1 << 17));
        if (fd == 0) flush();
        ssize_t n = read(fd, buffer + have, room - have);
        if (n < 0) {
            if (errno == EINTR) continue;
            file_error(path);
            if (!have && !s.line_no) return;
            break;
        }
        if (n == 0) break;
        if (memchr(buffer + have, 0, (size_t)n)) s.binary = 1;
        size_t begin = 0, scan = have;
        have += (size_t)n;
        byte *end;
        while (!s.done && (end = memchr(buffer + scan, '\n', have - scan))) {
            size_t at = (size_t)(end - buffer);
            one_line(&s, buffer + begin, at - begin);
            begin = scan = at + 1;
        }
        if (s.done) break;
        memmove(buffer, buffer + begin, have -= begin);
    }
    if (!s.done && have) one_line(&s, buffer, have);
    report(&s);
}

static void search_path(const char *path, int with_name, int on_command_line);

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void search_directory(const char *path, int hide_prefix)
{
    DIR *dir = opendir(path);
    if (!dir) {
        file_error(path);
        return;
    }
    char **list = NULL;
    size_t count = 0, prefix = hide_prefix ? 0 : strlen(path);
    int slash = prefix && path[prefix - 1] != '/';
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!(count & (count - 1))) list = grow(list, sizeof *list * (count ? count * 2 : 1));
        char *full = grow(NULL, prefix + 2 + strlen(name));
        memcpy(full, path, prefix);
        if (slash) full[prefix] = '/';
        strcpy(full + prefix + slash, name);
        list[count++] = full;
        errno = 0;
    }
    if (errno) file_error(path);
    closedir(dir);
    if (count) qsort(list, count, sizeof *list, by_name);
    for (size_t k = 0; k < count; k++) {
        search_path(list[k], names != 0, 0);
        free(list[k]);
    }
    free(list);
}

static void search_path(const char *path, int with_name, int on_command_line)
{
    struct stat st;
    /* Links met on the way are not followed, those on the command line are; so too devices. */
    if (opt_r && !on_command_line) {
        if (lstat(path, &st)) {
            file_error(path);
            return;
        }
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return;
    } else if (stat(path, &st)) {
        file_error(path);
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        if (opt_r) {
            search_directory(path, 0);
            return;
        }
        errno = EISDIR;
        file_error(path);
        return;
    }
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        file_error(path);
        return;
    }
    search_fd(fd, path, with_name);
    close(fd);
}

/* ---- the command line ------------------------------------------------------------------- */

static int *flag_of(char c)
{
    switch (c) {
    case 'r': case 'R': return &opt_r;
    case 'n': return &opt_n;
    case 'i': return &opt_i;
    case 'l': return &opt_l;
    case 'L': return &opt_L;
    case 'c': return &opt_c;
    case 'v': return &opt_v;
    case 'w': return &opt_w;
    case 'x': return &opt_x;
    case 'q': return &opt_q;
    case 's': return &opt_s;
    case 'E': return &opt_E;
    case 'F': return &opt_F;
    default: return NULL;
    }
}

static const char **patterns;
static int pattern_count;

static void bad_option(const char *what, char c)
{
    char quoted[2] = {c, 0};
    flush();
    write_all(2, "grep: ", 6);
    write_all(2, what, strlen(what));
    write_all(2, quoted, 1);
    write_all(2, "'\n", 2);
    usage();
}

/* Reads one group of letters such as `-rn`; answers how many further arguments it took. */
static int options(char **args, int left)
{
    for (const char *p = args[0] + 1; *p; p++) {
        int *flag = flag_of(*p);
        if (flag) *flag = 1;
        else if (*p == 'H') names = 1;
        else if (*p == 'h') names = 0;
        else if (*p == 'e') {
            if (p[1]) return patterns[pattern_count++] = p + 1, 0;
            if (!left) bad_option("option requires an argument -- '", 'e');
            return patterns[pattern_count++] = args[1], 1;
        } else bad_option("invalid option -- '", *p);
    }
    return 0;
}

static void compile_all(void)
{
    if (pattern_count == 1 && !strchr(patterns[0], '\n'))
        find_plain((const byte *)patterns[0], strlen(patterns[0]));
    for (int k = 0; k < pattern_count; k++) {
        /* A newline separates patterns. */
        const char *text = patterns[k], *end;
        for (; (end = strchr(text, '\n')); text = end + 1) compile((const byte *)text, (size_t)(end - text), 0);
        compile((const byte *)text, strlen(text), k == pattern_count - 1);
    }
}

int main(int argc, char **argv)
{
    char **files = grow(NULL, sizeof *files * (size_t)(argc + 1));
    int count = 0;
    patterns = grow(NULL, sizeof *patterns * (size_t)(argc + 1));
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--")) {
            while (++k < argc) files[count++] = argv[k];
        } else if (argv[k][0] == '-' && argv[k][1]) {
            if (argv[k][1] == '-') {
                complain("unrecognized option", argv[k]);
                usage();
            }
            k += options(argv + k, argc - k - 1);
        } else {
            files[count++] = argv[k];
        }
    }
    if (!pattern_count) {
        if (!count) usage();
        patterns[pattern_count++] = *files++;
        count--;
    }
    compile_all();
    for (int k = 0; k < count; k++) {
        if (!strcmp(files[k], "-")) search_fd(0, "(standard input)", names > 0 || (names && count > 1));
        else search_path(files[k], names > 0 || (names && count > 1), 1);
    }
    if (!count && opt_r) search_directory(".", 1);
    else if (!count) search_fd(0, "(standard input)", names > 0);
    flush();
    return had_error && !(opt_q && had_match) ? 2 : !had_match;
}
