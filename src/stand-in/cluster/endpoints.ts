/** `GET /` and `GET /_cluster/health`, which clients and health checks ask first (general knowledge of Elasticsearch). */
import { Decimal } from '../json/read-value.ts';
import type { Call, Prepared } from '../route.ts';

const clusterName = 'stand-in';

/** Versions that go with a major version of Elasticsearch. */
const companions: Readonly<Record<number, { lucene: string; wire: string; index: string }>> = {
  8: { lucene: '9.12.2', wire: '7.17.0', index: '7.0.0' },
  9: { lucene: '10.3.2', wire: '8.19.0', index: '8.0.0-beta1' },
};

/** GET and HEAD `/`. */
export function describeCluster(call: Call): Prepared {
  const { version, uuid } = call.cluster;
  const { lucene, wire, index } = companions[version.major] ?? {
    lucene: '10.3.2',
    wire: '8.19.0',
    index: '8.0.0',
  };
  return {
    execute: () => ({
      status: 200,
      pretty: true,
      body: {
        name: clusterName,
        cluster_name: clusterName,
        cluster_uuid: uuid,
        version: {
          number: version.number,
          build_flavor: 'default',
          build_type: 'docker',
          build_hash: '0000000000000000000000000000000000000000',
          build_date: '2026-01-01T00:00:00.000000000Z',
          build_snapshot: false,
          lucene_version: lucene,
          minimum_wire_compatibility_version: wire,
          minimum_index_compatibility_version: index,
        },
        tagline: 'You Know, for Search',
      },
    }),
  };
}

/** Parameters that change nothing where all is always green. */
const healthParameters = [
  'expand_wildcards',
  'level',
  'local',
  'master_timeout',
  'timeout',
  'wait_for_active_shards',
  'wait_for_events',
  'wait_for_no_initializing_shards',
  'wait_for_no_relocating_shards',
  'wait_for_nodes',
  'wait_for_status',
];

/** GET `_cluster/health`. */
export function clusterHealth(call: Call): Prepared {
  const { cluster, query } = call;
  for (const name of healthParameters) query.text(name);
  return {
    execute: () => {
      const shards = [cluster.connectors, cluster.syncJobs].filter((index) => index.exists).length;
      return {
        status: 200,
        body: {
          cluster_name: clusterName,
          status: 'green',
          timed_out: false,
          number_of_nodes: 1,
          number_of_data_nodes: 1,
          active_primary_shards: shards,
          active_shards: shards,
          relocating_shards: 0,
          initializing_shards: 0,
          unassigned_shards: 0,
          unassigned_primary_shards: 0,
          delayed_unassigned_shards: 0,
          number_of_pending_tasks: 0,
          number_of_in_flight_fetch: 0,
          task_max_waiting_in_queue_millis: 0,
          active_shards_percent_as_number: new Decimal(100),
        },
      };
    },
  };
}
