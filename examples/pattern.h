/* Regular expressions for grep.c: compile() and matches().
 *
 * A pattern is compiled to a small program for a set of states that advances byte by byte
 * (Thompson 1968), so no pattern takes more than a time linear in its line. The options -i, -w,
 * -x, -E and -F are read from the variables of grep.c, which includes this file once.
 */

/* ---- the pattern compiler --------------------------------------------------------------- */

enum op {
    CHAR, ANY, SET, SPLIT, JUMP, ACCEPT,
    LINE_START, LINE_END, WORD_EDGE, NO_EDGE, WORD_START, WORD_END
};

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
            if (has(set, (byte)c) || has(set, (byte)(c - 32)))
                add(set, (byte)c), add(set, (byte)(c - 32));
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
                if (class_holds((const char *)name, (size_t)(pat - name), (byte)k))
                    add(set, (byte)k);
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
    if (least < 0 || !next_is('}') || (most >= 0 && most < least))
        die("Invalid content of \\{\\}", NULL);
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
        int may_start = (at == 0 || !opt_x) && (!opt_w || !word_before(at));
        if (may_start && reach(current, &count, 0, at)) return 1;
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
