/* Puts files, directories and links into the archive. */

/* Files with further names that may still be met: the later ones become links to the first. */
struct linked { dev_t dev; ino_t ino; nlink_t left; char *name; };
static struct linked *linked;
static size_t linked_count;

static int add_as_link(const struct stat *st, const char *name, long long mtime)
{
    if (st->st_nlink < 2) return 0;
    for (struct linked *l = linked; l < linked + linked_count; l++) {
        if (l->dev != st->st_dev || l->ino != st->st_ino) continue;
        write_member(name, l->name, '1', 0, mtime);
        if (!--l->left) {
            free(l->name);
            *l = linked[--linked_count];
        }
        return 1;
    }
    if (!(linked_count & (linked_count - 1)))
        linked = grow(linked, sizeof *linked * 2 * (linked_count + 1));
    linked[linked_count++] =
        (struct linked){st->st_dev, st->st_ino, st->st_nlink - 1, copy_of(name, strlen(name))};
    return 0;
}

static void shrank(const char *path)
{
    fail(path, "File shrank while it was read; padding with zeros", NULL);
}

static void add_file(const char *path, const char *name)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st)) {
        fail(path, "Cannot open", strerror(errno));
        if (fd >= 0) close(fd);
        return;
    }
    if (!add_as_link(&st, name, st.st_mtim.tv_sec)) {
        write_member(name, "", '0', st.st_size, st.st_mtim.tv_sec);
        int ended = 0;
        /* The header has promised this many bytes. */
        for (long long left = st.st_size; left;) {
            size_t len;
            byte *to = room(&len);
            if ((unsigned long long)left < len) len = (size_t)left;
            ssize_t n = ended ? 0 : read(fd, to, len);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail(path, "Read error", strerror(errno));
            else if (!n && !ended) shrank(path);
            if (n <= 0) {
                ended = 1;
                memset(to, 0, len);
                n = (ssize_t)len;
            }
            at += (size_t)n;
            left -= n;
        }
        fill_block();
    }
    close(fd);
}

static void add_symbolic_link(const char *path, const char *name, const struct stat *st)
{
    if (add_as_link(st, name, st->st_mtim.tv_sec)) return;
    size_t size = 256;
    char *target = grow(NULL, size);
    ssize_t len;
    while ((len = readlink(path, target, size)) == (ssize_t)size) target = grow(target, size *= 2);
    if (len < 0) {
        fail(path, "Cannot readlink", strerror(errno));
    } else {
        target[len] = 0;
        write_member(name, target, '2', 0, st->st_mtim.tv_sec);
    }
    free(target);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, in order; -1 with a word said if it cannot be read. */
static long names_in(const char *path, char ***list)
{
    DIR *dir = opendir(path);
    size_t count = 0;
    if (!dir) return fail(path, "Cannot open", strerror(errno)), -1;
    struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!(count & (count - 1))) *list = grow(*list, sizeof **list * 2 * (count + 1));
        (*list)[count++] = copy_of(name, strlen(name));
    }
    if (errno) fail(path, "Cannot read", strerror(errno));
    closedir(dir);
    if (count) qsort(*list, count, sizeof **list, by_name);
    return (long)count;
}

static void show(const char *name)
{
    struct stream *to = archive == 1 ? &err : &out;
    if (!opt_v) return;
    put_name(to, name);
    put_text(to, "\n");
    if (to == &err) flush(to);
}

static void add(const char *path, const char *name);

static void add_directory(const char *path, const char *name, const struct stat *st)
{
    char **list = NULL, *slashed = join(name, "");
    long count = names_in(path, &list);
    if (count >= 0) {
        show(slashed);
        write_member(slashed, "", '5', 0, st->st_mtim.tv_sec);
    }
    for (long k = 0; k < count; k++) {
        char *below = join(path, list[k]), *named = join(name, list[k]);
        add(below, named);
        free(below);
        free(named);
        free(list[k]);
    }
    free(list);
    free(slashed);
}

static void add(const char *path, const char *name)
{
    struct stat st, self;
    if (lstat(path, &st)) {
        fail(path, "Cannot stat", strerror(errno));
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        add_directory(path, name, &st);
        return;
    }
    if (S_ISREG(st.st_mode) && !fstat(archive, &self) && S_ISREG(self.st_mode)
        && self.st_ino == st.st_ino && self.st_dev == st.st_dev) {
        warn(path, "file is the archive; not dumped", NULL);
        return;
    }
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
        fail(path, "Not a file, directory or link; not dumped", NULL);
        return;
    }
    show(name);
    if (S_ISREG(st.st_mode)) add_file(path, name);
    else add_symbolic_link(path, name, &st);
}

/* The name under which an operand is stored: nothing that leads out of where it is extracted. */
static char *stored_name(const char *path)
{
    static char *said[2];
    size_t cut = 0, len = strlen(path);
    for (size_t k = 0; k < len;) {
        size_t part = strcspn(path + k, "/"), behind = k + part;
        behind += strspn(path + behind, "/");
        if (!part || (part == 2 && !memcmp(path + k, "..", 2))) cut = behind;
        k = behind;
    }
    if (cut) {
        char *word = grow(NULL, cut + 48), *end = stpcpy(word, "Removing leading `");
        memcpy(end, path, cut);
        stpcpy(end + cut, "' from member names");
        char **last = said + (*path != '/');
        if (!*last || strcmp(*last, word)) warn(NULL, word, NULL);
        free(*last);
        *last = word;
    }
    while (len > cut && path[len - 1] == '/') len--;
    return len > cut ? copy_of(path + cut, len - cut) : copy_of(".", 1);
}
