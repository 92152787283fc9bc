/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include "../shim.h"

/* Reported every time, not once: the test is to fail. */
#define WARN_ON_ONCE(condition) ({				\
	bool warn_on = (condition);				\
	if (warn_on)						\
		shim_warn(__FILE__, __LINE__, #condition);	\
	warn_on;						\
})

#endif
