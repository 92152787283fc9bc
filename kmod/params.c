// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "params.h"

unsigned long kmq_module_limits[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = 1 << 20,
	[KMQ_R_HANDLES] = 1 << 20,
};

unsigned long kmq_user_limits[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = 4096,
	[KMQ_R_HANDLES] = 16384,
};

unsigned long kmq_domain_limits[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = 16384,
	[KMQ_R_HANDLES] = 65536,
};

unsigned long kmq_default_max_messages = 8192;
unsigned long kmq_default_max_bytes = 16 << 20;
unsigned int kmq_default_max_message_size = 256 << 10;

module_param_named(max_objects, kmq_module_limits[KMQ_R_OBJECTS], ulong, 0644);
MODULE_PARM_DESC(max_objects, "Most objects in all domains (1048576)");
module_param_named(max_handles, kmq_module_limits[KMQ_R_HANDLES], ulong, 0644);
MODULE_PARM_DESC(max_handles, "Most open handles (1048576)");
module_param_named(max_bytes, kmq_module_limits[KMQ_R_BYTES], ulong, 0644);
MODULE_PARM_DESC(max_bytes, "Most bytes of messages (a quarter of the RAM)");

module_param_named(user_max_objects, kmq_user_limits[KMQ_R_OBJECTS], ulong,
		   0644);
MODULE_PARM_DESC(user_max_objects, "Most objects of one user (4096)");
module_param_named(user_max_handles, kmq_user_limits[KMQ_R_HANDLES], ulong,
		   0644);
MODULE_PARM_DESC(user_max_handles, "Most open handles of one user (16384)");
module_param_named(user_max_bytes, kmq_user_limits[KMQ_R_BYTES], ulong, 0644);
MODULE_PARM_DESC(user_max_bytes,
		 "Most bytes of messages of one user (a quarter of max_bytes)");

module_param_named(domain_max_objects, kmq_domain_limits[KMQ_R_OBJECTS], ulong,
		   0644);
MODULE_PARM_DESC(domain_max_objects, "Most objects in one domain (16384)");
module_param_named(domain_max_handles, kmq_domain_limits[KMQ_R_HANDLES], ulong,
		   0644);
MODULE_PARM_DESC(domain_max_handles, "Most open handles in one domain (65536)");
module_param_named(domain_max_bytes, kmq_domain_limits[KMQ_R_BYTES], ulong,
		   0644);
MODULE_PARM_DESC(domain_max_bytes,
		 "Most bytes of messages in one domain (half of max_bytes)");

module_param_named(default_max_messages, kmq_default_max_messages, ulong, 0644);
MODULE_PARM_DESC(default_max_messages, "max_messages of a new queue (8192)");
module_param_named(default_max_bytes, kmq_default_max_bytes, ulong, 0644);
MODULE_PARM_DESC(default_max_bytes, "max_bytes of a new queue (16 MiB)");
module_param_named(default_max_message_size, kmq_default_max_message_size, uint,
		   0644);
MODULE_PARM_DESC(default_max_message_size,
		 "max_message_size of a new queue (256 KiB)");

/**
 * kmq_params_init() - defaults that depend on the machine
 *
 * Context: module init, before anything is charged.
 */
void kmq_params_init(void)
{
	if (!kmq_module_limits[KMQ_R_BYTES])
		kmq_module_limits[KMQ_R_BYTES] = totalram_pages() / 4 *
			PAGE_SIZE;
	if (!kmq_user_limits[KMQ_R_BYTES])
		kmq_user_limits[KMQ_R_BYTES] =
			kmq_module_limits[KMQ_R_BYTES] / 4;
	if (!kmq_domain_limits[KMQ_R_BYTES])
		kmq_domain_limits[KMQ_R_BYTES] =
			kmq_module_limits[KMQ_R_BYTES] / 2;
}
