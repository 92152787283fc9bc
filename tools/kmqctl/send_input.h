/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQCTL_SEND_INPUT_H
#define KMQCTL_SEND_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file descriptor cut into lines, or taken as one piece. */
struct input {
	int fd;
	const char *name;	/* for messages */
	char *buf;
	size_t start, end, cap;
	size_t max;		/* most bytes of a piece */
	uint64_t line;		/* number of the line last returned */
	bool eof;
};

/*
 * The next complete line, without its end: 1; 0 when more must be read first;
 * -EMSGSIZE when it is longer than @max. The last one needs no line end.
 */
int input_line(struct input *in, const char **line, size_t *len);
/* All there is: 0 or a negative errno, -EMSGSIZE as above. */
int input_all(struct input *in, const char **piece, size_t *len);
/* Read more, waiting for it: 0, also at the end (eof is set), or -errno. */
int input_fill(struct input *in);
/* Would input_fill() return at once? */
bool input_ready(const struct input *in);

#endif /* KMQCTL_SEND_INPUT_H */
