import type { HealthLook } from '../stage/watch-health.ts';
import { type Finding, finding, seconds } from './finding.ts';

const MOST_DELAY_MS = 5_000;

/** I11: the worker says within 5 s that it cannot work, and within 5 s that it can again, and never that it is dead. */
export function honestHealth(
  looks: readonly HealthLook[],
  fault: { readonly fromMs: number; readonly toMs: number },
): Finding {
  const ready = looks.filter(({ path }) => path === '/readyz');
  const down = ready.find(({ atMs, status }) => atMs >= fault.fromMs && status === 503);
  const up = ready.find(({ atMs, status }) => atMs >= fault.toMs && status === 200);
  const between = ready.filter(
    ({ atMs, answeredAtMs }) => atMs > fault.fromMs + MOST_DELAY_MS && answeredAtMs < fault.toMs,
  );
  const claims = between.filter(({ status }) => status === 200).length;
  const dead = looks.filter(({ path, status }) => path === '/livez' && status !== 200).length;
  const downMs = down === undefined ? undefined : down.answeredAtMs - fault.fromMs;
  const upMs = up === undefined ? undefined : up.answeredAtMs - fault.toMs;
  const reason = down === undefined ? '' : reasonIn(down.body);
  return finding(
    'I11 honest health',
    isSoon(downMs) && isSoon(upMs) && dead === 0 && claims === 0 && reason !== '',
    `not ready after ${told(downMs)} (${reason || 'no reason given'}), ready again after ${told(upMs)}, ready ${claims} times meanwhile, not alive ${dead} times`,
    `at most ${seconds(MOST_DELAY_MS)} each, 0, 0, with the reason`,
  );
}

const isSoon = (ms: number | undefined): boolean => ms !== undefined && ms <= MOST_DELAY_MS;
const told = (ms: number | undefined): string => (ms === undefined ? 'never' : seconds(ms));

function reasonIn(body: string): string {
  try {
    const { reasons } = JSON.parse(body) as { readonly reasons?: Readonly<Record<string, string>> };
    return Object.entries(reasons ?? {})
      .map(([name, reason]) => `${name}: ${reason}`)
      .join('; ');
  } catch {
    return '';
  }
}
