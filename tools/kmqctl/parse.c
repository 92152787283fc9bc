// SPDX-License-Identifier: GPL-2.0-only
/* Values of options: numbers, sizes, durations, owners. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "kmqctl.h"

static bool scan_u64(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	*rest = end;
	return !errno;
}

uint64_t parse_number(const char *option, const char *text, uint64_t min,
		      uint64_t max)
{
	const char *rest;
	uint64_t v;

	if (!scan_u64(text, &v, &rest) || *rest || v < min || v > max)
		usage_error("--%s: \"%s\" is no number from %llu to %llu",
			    option, text, (unsigned long long)min,
			    (unsigned long long)max);
	return v;
}

uint64_t parse_size(const char *option, const char *text)
{
	static const char units[] = "KMGT";
	const char *rest, *unit;
	int shift = 0;
	uint64_t v;

	if (!scan_u64(text, &v, &rest))
		goto bad;
	if (*rest) {
		unit = strchr(units, toupper((unsigned char)*rest));
		if (!unit)
			goto bad;
		shift = 10 * (int)(unit - units + 1);
		rest++;
		if (*rest && strcmp(rest, "iB"))
			goto bad;
	}
	if (v > UINT64_MAX >> shift)
		goto bad;
	return v << shift;
bad:
	usage_error("--%s: \"%s\" is no size; allowed: a number of bytes, or with K, M, G or T (times 1024)",
		    option, text);
}

bool scan_duration(const char *text, int *ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {
		{ "", 1e3 }, { "ms", 1 }, { "s", 1e3 }, { "m", 6e4 },
		{ "h", 3.6e6 },
	};
	size_t digits = strspn(text, "0123456789.");
	size_t i;
	double v;
	char *end;

	if (!digits || !isdigit((unsigned char)text[0]))
		return false;
	v = strtod(text, &end);
	if (end != text + digits)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		/* Never round a short wait down to none. */
		v = ceil(v * units[i].ms);
		if (v > INT_MAX)
			return false;
		*ms = (int)v;
		return true;
	}
	return false;
}

int parse_duration(const char *option, const char *text)
{
	int ms;

	if (!scan_duration(text, &ms))
		usage_error("--%s: \"%s\" is no time; allowed: 500ms, 2s, 1.5m, 1h, a plain number of seconds, up to 24 days",
			    option, text);
	return ms;
}

/* A number stands for itself, even when somebody is called like it. */
static bool scan_id(const char *text, uint32_t *id)
{
	const char *rest;
	uint64_t v;

	if (!scan_u64(text, &v, &rest) || *rest || v >= UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

uint32_t parse_user(const char *option, const char *text)
{
	struct passwd *pw;
	uint32_t id;

	if (scan_id(text, &id))
		return id;
	pw = getpwnam(text);
	if (!pw)
		usage_error("--%s: no user \"%s\"", option, text);
	return pw->pw_uid;
}

static uint32_t parse_group(const char *option, const char *text)
{
	struct group *gr;
	uint32_t id;

	if (scan_id(text, &id))
		return id;
	gr = getgrnam(text);
	if (!gr)
		usage_error("--%s: no group \"%s\"", option, text);
	return gr->gr_gid;
}

void parse_owner(const char *option, const char *text,
		 struct kmq_attrs *attrs)
{
	const char *colon = strchr(text, ':');
	char user[256];

	if (!*text || (colon && !colon[1]) ||
	    (size_t)(colon ? colon - text : 0) >= sizeof(user))
		usage_error("--%s: \"%s\" is not USER, USER:GROUP or :GROUP",
			    option, text);
	if (colon) {
		attrs->gid = parse_group(option, colon + 1);
		attrs->mask |= KMQ_A_GID;
	}
	if (colon == text)
		return;
	snprintf(user, sizeof(user), "%.*s",
		 colon ? (int)(colon - text) : (int)strlen(text), text);
	attrs->uid = parse_user(option, user);
	attrs->mask |= KMQ_A_UID;
}

uint32_t parse_mode(const char *option, const char *text)
{
	unsigned long v;
	char *end;

	v = strtoul(text, &end, 8);
	if (!isdigit((unsigned char)text[0]) || *end || v > 0777)
		usage_error("--%s: \"%s\" is no octal mode such as 0660 (r to receive, w to send; for owner, group, others)",
			    option, text);
	return (uint32_t)v;
}

static const char *const overflow_names[] = {
	[KMQ_OVERFLOW_BLOCK] = "block",
	[KMQ_OVERFLOW_REJECT] = "reject-publish",
	[KMQ_OVERFLOW_DROP_HEAD] = "drop-head",
};

uint32_t parse_overflow(const char *option, const char *text)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(overflow_names); i++)
		if (!strcmp(text, overflow_names[i]))
			return i;
	usage_error("--%s: \"%s\" is none of block, reject-publish, drop-head",
		    option, text);
}

const char *overflow_name(uint32_t overflow)
{
	return overflow < ARRAY_SIZE(overflow_names) ?
	       overflow_names[overflow] : "unknown";
}
