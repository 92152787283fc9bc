// SPDX-License-Identifier: GPL-2.0-only
/* Reading what is to be sent, any bytes, any length of line. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"
#include "send_input.h"

#define READ_SIZE 65536

int input_line(struct input *in, const char **line, size_t *len)
{
	size_t have = in->end - in->start;
	char *at = in->buf + in->start, *end = NULL;

	if (have)
		end = memchr(at, '\n', have);
	if (!end && have <= in->max && (!in->eof || !have))
		return 0;

	in->line++;
	*line = at;
	*len = end ? (size_t)(end - at) : have;
	if (*len > in->max)
		return -EMSGSIZE;
	in->start += *len + (end ? 1 : 0);
	return 1;
}

int input_fill(struct input *in)
{
	ssize_t n;

	if (in->start) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->cap - in->end < READ_SIZE) {
		in->cap = 2 * in->cap + READ_SIZE;
		in->buf = xrealloc(in->buf, in->cap);
	}
	do {
		n = read(in->fd, in->buf + in->end, in->cap - in->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	in->end += (size_t)n;
	in->eof = n == 0;
	return 0;
}

bool input_ready(const struct input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

int input_all(struct input *in, const char **piece, size_t *len)
{
	int err;

	while (!in->eof) {
		err = input_fill(in);
		if (err)
			return err;
		if (in->end > in->max)
			return -EMSGSIZE;
	}
	*piece = in->buf ? in->buf : "";
	*len = in->end;
	return 0;
}
