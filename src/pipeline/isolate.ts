/**
 * Lets a suspect run alone: a job that a worker died on might kill the next one too, and whatever runs
 * beside it would be suspected after that.
 */
export interface Isolation {
  /**
   * Begins beside others, once no suspect runs or waits; `leave` has to follow.
   *
   * @returns undefined where there is nothing to wait for
   */
  enter(): Promise<void> | undefined;
  leave(): void;
  /** Runs when nothing else does, and nothing else does until it has ended. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function isolation(): Isolation {
  let running = 0;
  let isAlone = false;
  const suspects: (() => void)[] = [];
  const others: (() => void)[] = [];

  function next(): void {
    if (isAlone) return;
    if (suspects.length > 0) {
      if (running > 0) return;
      isAlone = true;
      suspects.shift()?.();
      return;
    }
    for (const start of others.splice(0)) {
      running += 1;
      start();
    }
  }

  function whenStarted(line: (() => void)[]): Promise<void> {
    const started = new Promise<void>((resolve) => {
      line.push(resolve);
    });
    next();
    return started;
  }

  return {
    enter() {
      if (isAlone || suspects.length > 0 || others.length > 0) return whenStarted(others);
      // The ordinary case: nobody is suspect, and nobody has to wait.
      running += 1;
      return undefined;
    },
    leave() {
      running -= 1;
      next();
    },
    async alone(work) {
      await whenStarted(suspects);
      try {
        return await work();
      } finally {
        isAlone = false;
        next();
      }
    },
  };
}
