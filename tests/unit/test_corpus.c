// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzers of tests/fuzz have kept: each input once more. */
#include <dirent.h>

#include "fixture.h"
#include "inputs.h"

/* From where this file is to where the corpora are. */
#define CORPUS		"../fuzz/corpus/"

static void with_file(const char *dir, const char *name,
		      void (*input)(const uint8_t *data, size_t len))
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* the last one named is the one that fails */
	if (getenv("KMQ_UNIT_NAMES"))
		print_message("# %s\n", path);
	input(data, len);
}

static void with_all(const char *which,
		     void (*input)(const uint8_t *data, size_t len))
{
	struct dirent *entry;
	char dir[3000], *slash;
	u32 n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s", __FILE__);
	slash = strrchr(dir, '/');
	assert_non_null(slash);
	snprintf(slash + 1, sizeof(dir) - (slash + 1 - dir), CORPUS "%s",
		 which);
	d = opendir(dir);
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		with_file(dir, entry->d_name, input);
		n++;
	}
	closedir(d);
	assert_true(n > 0);
}

static void test_records(void **state)
{
	(void)state;
	with_all("record", input_record);
}

static void test_queues(void **state)
{
	(void)state;
	with_all("queue", input_queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_records, "corpus: records are judged as the model has them"),
		TEST(test_queues, "corpus: queues do as the model has them"),
	};

	return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
