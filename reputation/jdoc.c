/*
 * jdoc - see jdoc.h.
 *
 * jansson recurses for each level and makes a block of some hundred bytes for
 * each value, so that "[[[[" and "[],[],[]," cost more than they weigh.  One
 * look over the bytes, strings passed over, bounds both.
 */
#include "reputation/jdoc.h"

#include <math.h>

#include <jansson.h>

#include "lib/scan.h"

struct jdoc { json_t *root; };

/* inner - jansson's own of a value of ours */
static const json_t *
inner(const struct jval *v)
{
	return (const json_t *)(const void *)v;
}

/* outer - and back */
static const struct jval *
outer(const json_t *v)
{
	return (const struct jval *)(const void *)v;
}

/* bounded - how deep, and how many? */
static int
bounded(struct slice s, struct why *why)
{
	size_t depth = 0, values = 0;
	bool text = false;

	if (s.n > JDOC_BYTES)
		return why_set(why, "%zu bytes are too many; %u are read", s.n,
		    JDOC_BYTES);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (text && c == '\\')
			i++;
		else if (c == '"')
			text = !text;
		else if (text)
			continue;
		else if (c == '[' || c == '{')
			depth++, values++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		else if (c == ',' || c == ':')
			values++;
		if (depth > JDOC_DEPTH)
			return why_set(why, "it is more than %d levels deep",
			    JDOC_DEPTH);
		if (values > JDOC_VALUES)
			return why_set(why, "it has more than %d values",
			    JDOC_VALUES);
	}
	return 0;
}

/* jdoc_next - one document, and where it ended */
int
jdoc_next(struct slice *rest, struct jdoc **out, struct why *why)
{
	json_error_t error;
	struct jdoc *doc;

	*out = NULL;
	*rest = slice_trim(*rest);
	if (rest->n >= 3 && memcmp(rest->p, "\xef\xbb\xbf", 3) == 0)
		*rest = slice_trim(slice_from(*rest, 3));
	if (rest->n == 0)
		return 0;
	if (bounded(*rest, why) == -1)
		return -1;
	if ((doc = calloc(1, sizeof(*doc))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a document");
	doc->root = json_loadb(rest->p, rest->n, JSON_REJECT_DUPLICATES |
	    JSON_DISABLE_EOF_CHECK, &error);
	if (doc->root == NULL) {
		free(doc);
		if (json_error_code(&error) == json_error_out_of_memory)
			return why_kind(why, WHY_MEMORY,
			    "no memory for a document");
		return why_set(why, "line %d, column %d: %s%s", error.line,
		    error.column, json_error_code(&error) ==
		    json_error_premature_end_of_input ? "it ends in the "
		    "middle: " : "", error.text);
	}
	*rest = slice_from(*rest, error.position > 0 ?
	    (size_t)error.position : rest->n);
	*out = doc;
	return 1;
}

/* jdoc_free - all values go with it */
void
jdoc_free(struct jdoc *doc)
{
	if (doc == NULL)
		return;
	json_decref(doc->root);
	free(doc);
}

/* jdoc_root - an object or a list */
const struct jval *
jdoc_root(const struct jdoc *doc)
{
	return outer(doc->root);
}

/* jval_kind - JVAL_NONE for NULL */
enum jval_kind
jval_kind(const struct jval *v)
{
	if (v == NULL)
		return JVAL_NONE;
	switch (json_typeof(inner(v))) {
	case JSON_OBJECT:
		return JVAL_OBJECT;
	case JSON_ARRAY:
		return JVAL_LIST;
	case JSON_STRING:
		return JVAL_TEXT;
	case JSON_INTEGER:
	case JSON_REAL:
		return JVAL_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return JVAL_BOOL;
	case JSON_NULL:
		break;
	}
	return JVAL_NULL;
}

/* jval_get - of an object */
const struct jval *
jval_get(const struct jval *v, const char *key)
{
	return outer(json_object_get(inner(v), key));
}

/* jval_count - 0 when it is no list */
size_t
jval_count(const struct jval *v)
{
	return json_array_size(inner(v));
}

/* jval_at - of a list */
const struct jval *
jval_at(const struct jval *v, size_t i)
{
	return outer(json_array_get(inner(v), i));
}

/* jval_text - as bytes with a length */
struct slice
jval_text(const struct jval *v)
{
	if (jval_kind(v) != JVAL_TEXT)
		return SLICE_NONE;
	return (struct slice){ json_string_value(inner(v)),
	    json_string_length(inner(v)) };
}

/* jval_number - finite: JSON has no other */
bool
jval_number(const struct jval *v, double *out)
{
	if (jval_kind(v) != JVAL_NUMBER)
		return false;
	*out = json_number_value(inner(v));
	return isfinite(*out);
}

/* jval_whole - 5, "5" */
bool
jval_whole(const struct jval *v, int64_t *out)
{
	struct slice text = jval_text(v);
	struct why why;

	if (v != NULL && json_is_integer(inner(v))) {
		*out = json_integer_value(inner(v));
		return true;
	}
	return text.p != NULL && scan_count(text, 0, INT64_MAX / 2, out,
	    &why) == 0;
}

/* jval_true - true itself, nothing like it */
bool
jval_true(const struct jval *v)
{
	return v != NULL && json_is_true(inner(v));
}

/* jval_each - jansson keeps the order in which they came */
bool
jval_each(const struct jval *v, void **at, struct slice *key,
    const struct jval **value)
{
	json_t *object = (json_t *)(uintptr_t)inner(v);

	*at = *at == NULL ? json_object_iter(object) :
	    json_object_iter_next(object, *at);
	if (*at == NULL)
		return false;
	*key = (struct slice){ json_object_iter_key(*at),
	    json_object_iter_key_len(*at) };
	*value = outer(json_object_iter_value(*at));
	return true;
}
