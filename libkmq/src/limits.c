// SPDX-License-Identifier: LGPL-2.1-or-later
/* Limits of a user, a domain, the module. */
#include <errno.h>
#include <string.h>

#include "internal.h"

int kmq_limits(int ctl, unsigned int scope, uint32_t uid,
	       struct kmq_limit limits[KMQ_R_COUNT])
{
	struct kmq_limits_args args = {
		.size = sizeof(args),
		.scope = scope,
		.uid = scope == KMQ_SCOPE_USER ? uid : 0,
	};
	int ret;

	if (!limits)
		return -EINVAL;
	ret = kmq__ctl_call(ctl, KMQ_IOC_LIMITS, &args);
	if (ret < 0)
		return ret;
	memcpy(limits, args.r, sizeof(args.r));
	return 0;
}

int kmq_set_limits(int ctl, unsigned int scope, uint32_t uid,
		   unsigned int mask,
		   const struct kmq_limit limits[KMQ_R_COUNT])
{
	struct kmq_limits_args args = {
		.size = sizeof(args),
		.flags = KMQ_LIMITS_SET,
		.scope = scope,
		.uid = scope == KMQ_SCOPE_USER ? uid : 0,
		.set_mask = mask,
	};
	unsigned int i;
	int ret;

	if (!limits)
		return -EINVAL;
	/* Use and counters are the kernel's: send it the limits alone. */
	for (i = 0; i < KMQ_R_COUNT; i++)
		if (mask & (1u << i))
			args.r[i].limit = limits[i].limit;
	ret = kmq__ctl_call(ctl, KMQ_IOC_LIMITS, &args);
	return ret < 0 ? ret : 0;
}
