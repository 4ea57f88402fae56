/** The limit on how deep a list can be paged. */
import { ServerException } from '../errors/server-exception.ts';

const maxResultWindow = 10_000;

/** 400 where `from` and `size` go beyond the index's result window, else undefined (general knowledge). */
export function refuseWindow(index: string, from: number, size: number): ServerException | undefined {
  if (from + size <= maxResultWindow) return undefined;
  const cause = {
    type: 'illegal_argument_exception',
    reason:
      'Result window is too large, from + size must be less than or equal to: ' +
      `[${maxResultWindow}] but was [${from + size}]. ` +
      'See the scroll api for a more efficient way to request large data sets. ' +
      'This limit can be set by changing the [index.max_result_window] index level setting.',
  };
  return new ServerException(
    400,
    {
      type: 'search_phase_execution_exception',
      reason: 'all shards failed',
      details: {
        phase: 'query',
        grouped: true,
        failed_shards: [{ shard: 0, index, node: 'stand-in', reason: cause }],
      },
      causedBy: { ...cause, causedBy: cause },
    },
    cause,
  );
}
