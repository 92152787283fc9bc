// SPDX-License-Identifier: GPL-2.0-only
/* Numbers, times and owners for people. */
#include <grp.h>
#include <pwd.h>
#include <time.h>

#include "kmqctl.h"

#define NSEC 1000000000ull

void format_size(uint64_t bytes, char *buf, size_t size)
{
	static const char units[] = "BKMGTPE";
	uint64_t unit = 1;
	size_t i = 0;

	while (bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes % unit && bytes / unit < 10)
		snprintf(buf, size, "%.1f%c", (double)bytes / (double)unit,
			 units[i]);
	else
		snprintf(buf, size, "%.0f%c", (double)bytes / (double)unit,
			 units[i]);
}

void format_iso(uint64_t ns, char *buf, size_t size)
{
	time_t sec = (time_t)(ns / NSEC);
	struct tm tm;
	char date[32];

	gmtime_r(&sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%09lluZ", date,
		 (unsigned long long)(ns % NSEC));
}

void format_local(uint64_t ns, char *buf, size_t size)
{
	time_t sec = (time_t)(ns / NSEC), now = time(NULL);
	struct tm tm;

	localtime_r(&sec, &tm);
	strftime(buf, size, now - sec < 12 * 3600 && now >= sec ?
		 "%H:%M:%S" : "%Y-%m-%d %H:%M", &tm);
}

void format_perms(uint32_t mode, char *buf, size_t size)
{
	static const char bits[] = "rwxrwxrwx";
	char text[10];
	int i;

	for (i = 0; i < 9; i++)
		text[i] = mode & (0400u >> i) ? bits[i] : '-';
	text[9] = '\0';
	snprintf(buf, size, "%s", text);
}

/* Many rows, few owners: remember the last answer. */
void format_user(uint32_t uid, char *buf, size_t size)
{
	static char name[256];
	static uint32_t last;

	if (!name[0] || uid != last) {
		struct passwd *pw = getpwuid(uid);

		if (pw)
			snprintf(name, sizeof(name), "%s", pw->pw_name);
		else
			snprintf(name, sizeof(name), "%u", uid);
		last = uid;
	}
	snprintf(buf, size, "%s", name);
}

void format_group(uint32_t gid, char *buf, size_t size)
{
	static char name[256];
	static uint32_t last;

	if (!name[0] || gid != last) {
		struct group *gr = getgrgid(gid);

		if (gr)
			snprintf(name, sizeof(name), "%s", gr->gr_name);
		else
			snprintf(name, sizeof(name), "%u", gid);
		last = gid;
	}
	snprintf(buf, size, "%s", name);
}

const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
}

uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}
