// SPDX-License-Identifier: GPL-2.0-only
/* Why there is no kmq to talk to: module, device, or permission. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kmqctl.h"
#include "status_why.h"

#define PUT(field, ...)	snprintf(field, sizeof(field), __VA_ARGS__)

static bool contains(const char *path, const char *word)
{
	char line[4096];
	bool found = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, word) != NULL;
	fclose(f);
	return found;
}

static void permission(struct why *why)
{
	char user[256], group[256];
	struct stat st;

	why->state = "denied";
	why->denied = true;
	format_user(geteuid(), user, sizeof(user));
	if (stat(KMQ_DEVICE, &st)) {
		PUT(why->reason, "%s may not use %s", user, KMQ_DEVICE);
		PUT(why->advice, "ask the administrator for access to %s",
		    KMQ_DEVICE);
		return;
	}
	format_group(st.st_gid, group, sizeof(group));
	PUT(why->reason, "%s may not use %s: it belongs to group %s, mode %04o",
	    user, KMQ_DEVICE, group, st.st_mode & 0777);
	if ((st.st_mode & 0060) == 0060 && st.st_gid)
		PUT(why->advice, "join the group, then log in again: sudo usermod -aG %s %s",
		    group, user);
	else
		PUT(why->advice, "let the udev rule of kmq give it to group kmq, or as root: chgrp kmq %s; chmod 660 %s",
		    KMQ_DEVICE, KMQ_DEVICE);
}

static void not_loaded(struct why *why)
{
	struct utsname un;
	char path[512];

	why->state = "not-loaded";
	uname(&un);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep",
		 un.release);
	if (!contains(path, "/kmq.ko")) {
		PUT(why->reason, "the kmq module is not installed for this kernel (%s)",
		    un.release);
		PUT(why->advice, "build it with the headers of that kernel (package linux-headers-%s): make && sudo make install && sudo modprobe kmq",
		    un.release);
		return;
	}
	PUT(why->reason, "the kmq module is installed but not loaded");
	if (contains("/sys/module/module/parameters/sig_enforce", "Y"))
		PUT(why->advice, "load it: sudo modprobe kmq (this kernel takes signed modules only: if it says \"Key was rejected\", enrol the key the module was signed with)");
	else
		PUT(why->advice, "load it: sudo modprobe kmq");
}

void find_why(int err, struct why *why)
{
	memset(why, 0, sizeof(*why));
	if (err == -EACCES || err == -EPERM) {
		permission(why);
	} else if (access("/sys/module/kmq", F_OK) == 0 && err == -ENOENT) {
		why->state = "no-device";
		PUT(why->reason, "the kmq module is loaded, but there is no %s here",
		    KMQ_DEVICE);
		PUT(why->advice, "this looks like a container or a service with a /dev of its own: pass the device in (--device %s, DeviceAllow=%s rw, PrivateDevices=no)",
		    KMQ_DEVICE, KMQ_DEVICE);
	} else if (err == -ENOENT || err == -ENXIO || err == -ENODEV) {
		not_loaded(why);
	} else {
		why->state = "broken";
		PUT(why->reason, "cannot use %s: %s", KMQ_DEVICE,
		    strerror(-err));
		PUT(why->advice, "see what the kernel says: dmesg | grep kmq");
	}
}

void why_cell_state(const void *row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct why *)row)->state);
}

void why_cell_reason(const void *row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct why *)row)->reason);
}

void why_cell_advice(const void *row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct why *)row)->advice);
}
