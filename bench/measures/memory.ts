import { mean } from '../figures/statistics.ts';
import { copyJobs } from '../stage/copy-jobs.ts';
import { startOurWorker } from '../stage/start-our-worker.ts';
import type { Measure } from './measure.ts';

const LOOKS = 200;

/** Whether a worker's memory stays where it is while it settles very many reports, one a job. */
export const memory: Measure = {
  id: 'memory',
  title: "A worker's memory over very many reports",
  async run({ stage, sizes, say }) {
    const { redis, sink } = stage;
    const reports = sizes.memoryReports;
    await redis.client.flushall();
    await sink.reset();
    await copyJobs(redis.client, redis.url, 1, reports);
    await using worker = await startOurWorker(stage, redis.url);
    const rssMiB: number[] = [];
    for (let look = 1; look <= LOOKS; look += 1) {
      await worker.during(sink.reach(Math.floor((reports * look) / LOOKS)));
      rssMiB.push(worker.usage().rssMiB);
    }
    const { peakRssMiB } = worker.usage();
    await worker.kill();
    await redis.client.flushall();

    /** Counted from 0. */
    const tenth = (nth: number): number => mean(rssMiB.slice((nth * LOOKS) / 10, ((nth + 1) * LOOKS) / 10));
    const tenths = Array.from({ length: 10 }, (_, nth) => tenth(nth));
    say(`RSS by tenths of ${reports} reports: ${tenths.map((each) => each.toFixed(0)).join(' ')} MiB`);
    return [
      { key: 'memory.first_tenth', title: 'RSS, mean of the first tenth', unit: 'MiB', samples: [tenth(0)] },
      { key: 'memory.last_tenth', title: 'RSS, mean of the last tenth', unit: 'MiB', samples: [tenth(9)] },
      { key: 'memory.peak', title: 'RSS, peak', unit: 'MiB', samples: [peakRssMiB] },
    ];
  },
};
