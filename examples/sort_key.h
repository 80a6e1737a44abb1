/* The keys of sort.c: where in a line they are, and how two of them compare. */

struct key {
    size_t first_field, first_char; /* how many to pass over */
    size_t last_field, last_char;   /* last_char 0: to the end of that field */
    int blanks_before_first, blanks_before_last; /* passed over before characters are counted */
    int numeric, fold, reverse;
};

/* The place of the first key is looked up once per line, not once per comparison. */
struct line { const byte *text, *end, *key, *key_end; };

static int separator = -1; /* of fields, from -t; -1: blanks */

static int is_blank(byte c) { return c == ' ' || c == '\t'; }
static int is_digit(byte c) { return c >= '0' && c <= '9'; }
static int upper(byte c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

static const byte *pass_blanks(const byte *p, const byte *end)
{
    while (p < end && is_blank(*p)) p++;
    return p;
}

/* Without -t, the blanks before a field belong to it. */
static const byte *pass_field(const byte *p, const byte *end)
{
    if (separator >= 0) {
        const byte *at = memchr(p, separator, (size_t)(end - p));
        return at ? at : end;
    }
    p = pass_blanks(p, end);
    while (p < end && !is_blank(*p)) p++;
    return p;
}

static const byte *pass_chars(const byte *p, const byte *end, size_t count)
{
    return count < (size_t)(end - p) ? p + count : end;
}

static const byte *key_start(const struct key *k, const byte *p, const byte *end)
{
    for (size_t n = k->first_field; n && p < end; n--) {
        p = pass_field(p, end);
        if (separator >= 0 && p < end) p++;
    }
    if (k->blanks_before_first) p = pass_blanks(p, end);
    return pass_chars(p, end, k->first_char);
}

static const byte *key_limit(const struct key *k, const byte *p, const byte *end)
{
    if (k->last_field == SIZE_MAX) return end;
    for (size_t n = k->last_field + !k->last_char; n && p < end; n--) {
        p = pass_field(p, end);
        if (separator >= 0 && p < end && (n > 1 || k->last_char)) p++;
    }
    if (!k->last_char) return p;
    if (k->blanks_before_last) p = pass_blanks(p, end);
    return pass_chars(p, end, k->last_char);
}

static void find_key(const struct key *k, const struct line *l, const byte **from, const byte **to)
{
    *from = key_start(k, l->text, l->end);
    *to = key_limit(k, l->text, l->end);
    if (*to < *from) *to = *from;
}

/* ---- comparisons ------------------------------------------------------------------------ */

static int by_bytes(const byte *a, const byte *a_end, const byte *b, const byte *b_end)
{
    size_t len_a = (size_t)(a_end - a), len_b = (size_t)(b_end - b);
    size_t both = len_a < len_b ? len_a : len_b;
    int diff = both ? memcmp(a, b, both) : 0;
    return diff ? diff : (len_a > len_b) - (len_a < len_b);
}

static int by_folded(const byte *a, const byte *a_end, const byte *b, const byte *b_end)
{
    for (; a < a_end && b < b_end; a++, b++) {
        int diff = upper(*a) - upper(*b);
        if (diff) return diff;
    }
    return (a < a_end) - (b < b_end);
}

/* A number as the digits before and after its point, so that no size of it is too much. */
struct number {
    int sign; /* 0 for zero, however it is written, and for what is not a number */
    const byte *whole, *whole_end, *part, *part_end;
};

static struct number number_at(const byte *p, const byte *end)
{
    struct number n = {0};
    p = pass_blanks(p, end);
    int negative = p < end && *p == '-';
    p += negative;
    while (p < end && *p == '0') p++;
    n.whole = p;
    while (p < end && is_digit(*p)) p++;
    n.whole_end = n.part = n.part_end = p;
    if (p < end && *p == '.') {
        n.part = ++p;
        while (p < end && is_digit(*p)) p++;
        while (p > n.part && p[-1] == '0') p--; /* 1.50 equals 1.5 */
        n.part_end = p;
    }
    if (n.whole < n.whole_end || n.part < n.part_end) n.sign = negative ? -1 : 1;
    return n;
}

static int by_value(const byte *a, const byte *a_end, const byte *b, const byte *b_end)
{
    struct number x = number_at(a, a_end), y = number_at(b, b_end);
    if (x.sign != y.sign) return x.sign - y.sign;
    if (!x.sign) return 0;
    ptrdiff_t longer = (x.whole_end - x.whole) - (y.whole_end - y.whole);
    int diff = longer > 0 ? 1 : longer < 0 ? -1 : 0;
    if (!diff) diff = by_bytes(x.whole, x.whole_end, y.whole, y.whole_end);
    if (!diff) diff = by_bytes(x.part, x.part_end, y.part, y.part_end);
    return x.sign < 0 ? -diff : diff;
}
