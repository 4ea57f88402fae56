/** One thing that has to work for the worker to work. */
export interface HealthCheck {
  readonly name: string;
  /** Resolves to nothing where it works, or to the reason why it does not. May take its time or reject. */
  readonly run: (signal: AbortSignal) => Promise<string | undefined>;
}

export interface Health {
  readonly ready: boolean;
  /** Why not, by the name of the check; empty where ready. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Longest time that a check may take before it counts as failed, in milliseconds. */
const CHECK_TIMEOUT_MS = 2_000;

/** Runs every check at once and says what does not work. Never rejects, never takes longer than a check may. */
export async function checkHealth(checks: readonly HealthCheck[]): Promise<Health> {
  const results = await Promise.all(
    checks.map(async (check) => [check.name, await reasonOf(check)] as const),
  );
  const failed = results.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason] as const]));
  return { ready: failed.length === 0, reasons: Object.fromEntries(failed) };
}

async function reasonOf(check: HealthCheck): Promise<string | undefined> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const timeout = new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve(`no answer within ${CHECK_TIMEOUT_MS} ms`));
  });
  try {
    return await Promise.race([check.run(signal), timeout]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
