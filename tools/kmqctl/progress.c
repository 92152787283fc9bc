// SPDX-License-Identifier: GPL-2.0-only
/* One line on the terminal that tells how a long transfer gets on. */
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

#define FIRST_MS	1000	/* short ones need none */
#define EVERY_MS	250

void progress_start(struct progress *p, const char *word, bool on)
{
	memset(p, 0, sizeof(*p));
	p->word = word;
	p->on = on && !opts.quiet && isatty(STDERR_FILENO);
	p->start = now_ms();
	p->last = p->start + FIRST_MS - EVERY_MS;
}

static void print(struct progress *p, uint64_t now, const char *end)
{
	uint64_t ms = now > p->start ? now - p->start : 1;
	char size[16];

	format_size(p->bytes, size, sizeof(size));
	fprintf(stderr, "\r%llu %s %s, %s, %.0f/s\033[K%s",
		(unsigned long long)p->messages,
		plural(p->messages, "message", "messages"), p->word, size,
		(double)p->messages * 1e3 / (double)ms, end);
	fflush(stderr);
	p->shown = true;
	p->last = now;
}

void progress_count(struct progress *p, uint64_t messages, uint64_t bytes)
{
	uint64_t now;

	p->messages += messages;
	p->bytes += bytes;
	if (!p->on)
		return;
	now = now_ms();
	if (now >= p->last + EVERY_MS)
		print(p, now, "");
}

void progress_hide(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", stderr);
	p->shown = false;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		print(p, now_ms(), "\n");
	p->shown = false;
}
