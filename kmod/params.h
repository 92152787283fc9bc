/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_PARAMS_H
#define KMQ_PARAMS_H

#include <linux/kmq.h>

/**
 * DOC: module parameters
 *
 * Limits of the module and the defaults for users, domains and queues, indexed
 * by KMQ_R_*. Each is one word that root may change at any time through
 * /sys/module/kmq/parameters; readers use READ_ONCE().
 */
#define KMQ_VERSION "0.1.0"

extern unsigned long kmq_module_limits[KMQ_R_COUNT];
extern unsigned long kmq_user_limits[KMQ_R_COUNT];
extern unsigned long kmq_domain_limits[KMQ_R_COUNT];

extern unsigned long kmq_default_max_messages;
extern unsigned long kmq_default_max_bytes;
extern unsigned int kmq_default_max_message_size;

void kmq_params_init(void);

#endif
