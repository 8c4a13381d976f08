/*
 * read - which files a policy is made of.
 *
 * The files of the main part become one tree, in the order in which a reader
 * who follows each include meets them.  Folders are only listed: their files
 * are read later, one at a time, when the main part is compiled.  Files are
 * known by device and inode, so that no spelling of a path reads one twice.
 */
#include "policy/build.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/text.h"

/* folder_of - the path without its last part */
static const char *
folder_of(struct build *b, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return build_printf(b, b->work, "%.*s",
	    slash == path ? 1 : (int)(slash - path), path);
}

/* included_path - as written, or relative to the file that includes it */
static const char *
included_path(struct build *b, const char *from, struct slice name)
{
	if (strchr(from, '/') == NULL && name.n > 0 && name.p[0] != '/')
		return build_copy(b, b->keep, name).p;
	return build_path(b, b->keep, folder_of(b, from), name);
}

/* include_again - a loop, or twice the same; says it */
static bool
include_again(struct build *b, const struct stat *st, struct place at,
    const struct main_file *parent)
{
	char first[PATH_ROOM];

	for (const struct main_file *f = parent; f != NULL; f = f->parent)
		if (f->device == st->st_dev && f->inode == st->st_ino) {
			problem_error(b->problems, at, "include goes round in "
			    "a circle: %s is being read already", f->path);
			return true;
		}
	for (const struct main_file *f = b->files; f != NULL; f = f->next)
		if (f->device == st->st_dev && f->inode == st->st_ino) {
			problem_error(b->problems, at, "%s is included twice, "
			    "first at %s", f->path, build_place(f->at, first,
			    sizeof(first)));
			return true;
		}
	for (const struct folder *f = b->folders; f != NULL; f = f->next)
		if (f->device == st->st_dev && f->inode == st->st_ino) {
			problem_error(b->problems, at, "%s is included twice, "
			    "first at %s", f->path, build_place(f->at, first,
			    sizeof(first)));
			return true;
		}
	return false;
}

/* add_folder - its files are read when the main part is compiled */
static void
add_folder(struct build *b, const char *path, struct place at,
    const struct stat *st)
{
	struct folder *f = build_alloc(b, b->work, 1, sizeof(*f));
	size_t n = strlen(path);

	if (f == NULL)
		return;
	while (n > 1 && path[n - 1] == '/')
		n--;
	*f = (struct folder){ build_printf(b, b->keep, "%.*s", (int)n, path),
	    st->st_dev, st->st_ino, at, NULL };
	*b->last_folder = f;
	b->last_folder = &f->next;
}

/* include - a file into the tree, or a folder onto the list */
static void
include(struct build *b, const struct node *node,
    const struct main_file *from)
{
	const struct value *v = &node->value;
	struct quoted q;
	const char *path;
	struct stat st;
	struct why why;

	if (v->text.n == 0 || memchr(v->text.p, '\0', v->text.n) != NULL) {
		problem_error(b->problems, v->at, "include of nothing");
		return;
	}
	path = included_path(b, from->path, v->text);
	if (b->nomem)
		return;
	if (stat(path, &st) == -1) {
		if (errno == ENOENT)
			problem_error(b->problems, v->at, "include: there is "
			    "no file or folder %s",
			    text_quote(slice_of(path), &q));
		else
			problem_error(b->problems, v->at, "include: cannot "
			    "read %s: %s", path, strerror(errno));
		return;
	}
	if (include_again(b, &st, v->at, from))
		return;
	if (S_ISDIR(st.st_mode))
		add_folder(b, path, v->at, &st);
	else if (read_main(b, path, v->at, from, &why) != 1)
		problem_error(b->problems, v->at, "include: %s", why.text);
}

/* read_main - a file of the main part; fetch style */
int
read_main(struct build *b, const char *path, struct place at,
    const struct main_file *parent, struct why *why)
{
	struct main_file *f = build_alloc(b, b->work, 1, sizeof(*f));
	struct node *node, *next;
	struct slice text;
	struct stat st;
	int got;

	if (f == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the policy");
	if ((got = parse_read(b->work, path, &text, why)) != 1)
		return got;
	if (stat(path, &st) == -1)
		return why_errno(why, "cannot stat %s", path);
	*f = (struct main_file){ .path = path, .device = st.st_dev,
	    .inode = st.st_ino, .at = at, .parent = parent };
	hash_sha256(text.p, text.n, f->hash);
	*b->last_file = f;
	b->last_file = &f->next;
	for (node = parse_text(b->work, path, text, b->problems);
	    node != NULL; node = next) {
		next = node->next;
		node->next = NULL;
		if (node->type != NODE_INCLUDE) {
			*b->last_node = node;
			b->last_node = &node->next;
		} else if (words_check(node, IN_FILE, b->problems) != NULL) {
			include(b, node, f);
		}
	}
	return 1;
}

/* read_beside - of another format, but it stands or falls with the main part */
bool
read_beside(struct build *b, const char *from, const struct value *v,
    const char **path, struct slice *text)
{
	struct main_file *f = build_alloc(b, b->work, 1, sizeof(*f));
	struct quoted q;
	struct stat st;
	struct why why;
	int got;

	if (f == NULL)
		return false;
	if (v->text.n == 0) {
		problem_error(b->problems, v->at, "the name of a file is "
		    "missing");
		return false;
	}
	*path = included_path(b, from, v->text);
	if (b->nomem)
		return false;
	if (stat(*path, &st) == 0 && include_again(b, &st, v->at, NULL))
		return false;
	if ((got = parse_read(b->keep, *path, text, &why)) != 1 ||
	    stat(*path, &st) == -1) {
		if (got == -1)
			problem_error(b->problems, v->at, "%s", why.text);
		else
			problem_error(b->problems, v->at, "there is no file "
			    "%s", text_quote(slice_of(*path), &q));
		return false;
	}
	*f = (struct main_file){ .path = *path, .device = st.st_dev,
	    .inode = st.st_ino, .at = v->at };
	hash_sha256(text->p, text->n, f->hash);
	*b->last_file = f;
	b->last_file = &f->next;
	return true;
}

/* is_tenant_file - *.conf; not an editor's .#x.conf */
static int
is_tenant_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' &&
	    strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/* by_bytes - not by locale: every machine reads in the same order */
static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* add_units - one for each file of a folder */
static void
add_units(struct build *b, const struct folder *folder,
    struct dirent **names, size_t n)
{
	struct unit *more = build_alloc(b, b->work, b->nunits + n,
	    sizeof(*more));

	if (more == NULL)
		return;
	memcpy(more, b->units, b->nunits * sizeof(*more));
	b->units = more;
	for (size_t i = 0; i < n; i++) {
		struct unit *u = &b->units[b->nunits++];

		u->path = build_printf(b, b->keep, "%s/%s", folder->path,
		    names[i]->d_name);
		u->at = folder->at;
	}
}

/* read_folders - the tenant files of all folders, each in its order */
void
read_folders(struct build *b)
{
	for (const struct folder *f = b->folders; f != NULL; f = f->next) {
		struct dirent **names = NULL;
		int n = scandir(f->path, &names, is_tenant_file, by_bytes);

		if (n == -1) {
			problem_error(b->problems, f->at,
			    "include: cannot read %s: %s", f->path,
			    strerror(errno));
			continue;
		}
		add_units(b, f, names, (size_t)n);
		for (int i = 0; i < n; i++)
			free(names[i]);
		free(names);
	}
}
