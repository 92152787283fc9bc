// SPDX-License-Identifier: GPL-2.0-only
/* Growing output, and bytes made harmless for terminals and JSON. */
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

static void text_room(struct text *t, size_t more)
{
	if (t->cap - t->len >= more)
		return;
	while (t->cap - t->len < more)
		t->cap = t->cap ? 2 * t->cap : 4096;
	t->p = xrealloc(t->p, t->cap);
}

void text_add(struct text *t, const void *p, size_t len)
{
	if (!len)
		return;
	text_room(t, len);
	memcpy(t->p + t->len, p, len);
	t->len += len;
}

void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text_room(t, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(t->p + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

int text_write(struct text *t, int fd)
{
	size_t at = 0;
	int err = 0;

	while (at < t->len) {
		ssize_t n = write(fd, t->p + at, t->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			break;
		}
		at += (size_t)n;
	}
	t->len = 0;
	return err;
}

/*
 * Bytes of the well-formed UTF-8 character at @p, 0 if there is none; its
 * code point in *code.
 */
static size_t utf8_char(const unsigned char *p, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, n;
	uint32_t c = p[0];

	if (c < 0x80) {
		*code = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	c &= 0x7fu >> n;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

bool is_plain_text(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t c = 0;
	size_t n;

	for (; len; p += n, len -= n) {
		n = utf8_char(p, len, &c);
		if (!n || (is_control(c) && !strchr("\t\n\r", (int)c)) || !c)
			return false;
	}
	return true;
}

void text_escaped(struct text *t, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	uint32_t c = 0;
	size_t n;

	for (; len; p += n, len -= n) {
		n = utf8_char(p, len, &c);
		if (n && (c == '\t' || c == '\n' ||
			  (!is_control(c) && (utf8 || c < 0x80)))) {
			text_add(t, p, n);
			continue;
		}
		n = 1;
		text_printf(t, "\\x%02x", p[0]);
	}
}

void text_json(struct text *t, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t i;

	text_add(t, "\"", 1);
	for (i = 0; i < len; i++) {
		switch (p[i]) {
		case '"':
			text_str(t, "\\\"");
			break;
		case '\\':
			text_str(t, "\\\\");
			break;
		case '\n':
			text_str(t, "\\n");
			break;
		case '\r':
			text_str(t, "\\r");
			break;
		case '\t':
			text_str(t, "\\t");
			break;
		default:
			if (p[i] < 0x20)
				text_printf(t, "\\u%04x", p[i]);
			else
				text_add(t, p + i, 1);
		}
	}
	text_add(t, "\"", 1);
}

void text_base64(struct text *t, const void *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = bytes;

	while (len) {
		size_t n = len < 3 ? len : 3;
		uint32_t v = (uint32_t)p[0] << 16;
		char out[4];

		if (n > 1)
			v |= (uint32_t)p[1] << 8;
		if (n > 2)
			v |= p[2];
		out[0] = digits[v >> 18];
		out[1] = digits[v >> 12 & 63];
		out[2] = n > 1 ? digits[v >> 6 & 63] : '=';
		out[3] = n > 2 ? digits[v & 63] : '=';
		text_add(t, out, 4);
		p += n;
		len -= n;
	}
}
