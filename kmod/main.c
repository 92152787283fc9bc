// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "core/run.h"
#include "ctl.h"
#include "domain.h"
#include "params.h"
#include "user.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init kmq_init(void)
{
	int err;

	kmq_params_init();
	kmq_account_init(&kmq_module_account, kmq_module_limits);
	err = kmq_run_caches_create();
	if (err)
		return err;
	err = kmq_domains_init();
	if (err)
		goto err_caches;
	err = kmq_ctl_init();
	if (err)
		goto err_domains;
	return 0;

err_domains:
	kmq_domains_exit();
err_caches:
	kmq_run_caches_destroy();
	return err;
}

static void __exit kmq_exit(void)
{
	kmq_ctl_exit();
	kmq_domains_exit();
	/* handles and objects that wait for a grace period */
	rcu_barrier();
	kmq_users_exit();
	kmq_run_caches_destroy();
}

module_init(kmq_init);
module_exit(kmq_exit);

MODULE_AUTHOR("The kmq authors");
MODULE_DESCRIPTION("Named message queues in the kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION(KMQ_VERSION);
