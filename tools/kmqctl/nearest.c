// SPDX-License-Identifier: GPL-2.0-only
/* The known words that a mistyped one was most likely meant to be. */
#include <string.h>

#include "kmqctl.h"

#define WORD_MAX 40

/* Insertions, deletions, replacements from @a to @b. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t i, j, la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t up = row[j], best;

			best = diagonal + (a[i - 1] != b[j - 1]);
			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = up;
		}
	}
	return row[lb];
}

static size_t score(const char *word, const char *name)
{
	/* Part of a name is a better guess than a few common letters. */
	if (word[0] && !strncmp(name, word, strlen(word)))
		return 0;
	if (strlen(word) > 2 && strstr(name, word))
		return 1;
	return distance(word, name);
}

void nearest(const char *word, const char *prefix, const char *const *names,
	     size_t n, char *text, size_t size)
{
	size_t i, shown = 0, want, limit = strlen(word) / 3 + 1;
	size_t len = 0;

	text[0] = '\0';
	for (want = 0; want <= limit && shown < 3; want++) {
		for (i = 0; i < n && shown < 3; i++) {
			if (score(word, names[i]) != want)
				continue;
			len += (size_t)snprintf(text + len, size - len,
						"%s%s%s", shown ? ", " :
						"; did you mean ", prefix,
						names[i]);
			if (len >= size)
				return;
			shown++;
		}
	}
	if (shown && len + 1 < size)
		strcpy(text + len, "?");
}
