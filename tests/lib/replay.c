/*
 * replay - runs a fuzz target on files, without a fuzzer: what check does
 * with the inputs kept in tests/fuzz/corpus, under the sanitizers.
 *
 * Each file goes in whole and cut in half, in memory of exactly its size, so
 * that a byte read beyond the end is seen.  Its main() is linked where
 * libFuzzer's would be.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* feed - n bytes, in memory of their own */
static void
feed(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = calloc(1, n > 0 ? n : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

/* run - one file; 1, or 0 when it cannot be read */
static int
run(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;
	size_t n;

	if (f == NULL || fstat(fileno(f), &st) == -1 || !S_ISREG(st.st_mode)) {
		if (f != NULL)
			fclose(f);
		return 0;
	}
	if ((bytes = malloc((size_t)st.st_size + 1)) == NULL)
		abort();
	n = fread(bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	feed(bytes, n);
	feed(bytes, n / 2);
	free(bytes);
	return 1;
}

int
main(int argc, char **argv)
{
	char path[4096];
	struct dirent *entry;
	int done = 0;
	DIR *folder;

	feed((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		if ((folder = opendir(argv[i])) == NULL)
			continue;
		while ((entry = readdir(folder)) != NULL) {
			if (snprintf(path, sizeof(path), "%s/%s", argv[i],
			    entry->d_name) < (int)sizeof(path))
				done += run(path);
		}
		closedir(folder);
	}
	printf("%d passed, 0 failed\n", done + 1);
	return 0;
}
